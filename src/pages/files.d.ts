/** The pages of `web/`, as `scripts/build-pages.ts` builds them. */
declare module '*/dist/pages/files.js' {
  export const files: import('../ports/built-files.ts').BuiltFiles;
}
