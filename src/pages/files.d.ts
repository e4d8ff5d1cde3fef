/** What `scripts/build-pages.ts` makes of `web/`. */
declare module '*/dist/pages/files.js' {
  export const files: import('../ports/built-files.ts').BuiltFiles;
}
