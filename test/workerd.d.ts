/** The path of the workerd program that its package brings. */
declare module 'workerd' {
  const path: string;
  export default path;
}
