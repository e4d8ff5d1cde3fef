export type Tree = Readonly<Record<string, unknown>>;
export type Environment = Record<string, string>;

/** What one file of an older project holds. */
export type Found = {
  readonly values?: Tree;
  readonly environment?: Environment;
  /** Steps to deploy to the same Worker again. */
  readonly worker?: string;
};

/** Keeps the names that mean something here, and notes the others. */
export type KeepKnown = (environment: Environment, file: string, notes: string[]) => Environment;
