/**
 * A file of the pages that are built from `web/`: its text, and whether its name changes with it.
 */
export type BuiltFile = { readonly type: string; readonly body: string; readonly hashed: boolean };

/** Files by their path, as `/balance` or `/assets/play-1a2b.js`. */
export type BuiltFiles = Readonly<Record<string, BuiltFile>>;
