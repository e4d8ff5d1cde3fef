/**
 * Something the upstream holds that a reader can only see once it is fetched: by file id, or by its
 * path in the sandbox of a message.
 */
export type AssetRef =
  | { readonly from: 'file'; readonly id: string; readonly pointer: string }
  | { readonly from: 'sandbox'; readonly path: string; readonly messageId: string };

export type Link = { readonly title: string; readonly url: string };

/** Why an answer ended. */
export type FinishReason = 'stop' | 'length' | 'content_filter';

/** A piece of an answer. Consecutive pieces of one kind are deltas: join their text. */
export type Segment =
  /** `begins` marks the first text of another message of the same turn. */
  | { readonly kind: 'text'; readonly text: string; readonly begins?: boolean }
  /** `isPrivate` marks code and output that belong to the model's thinking. */
  | {
      readonly kind: 'code';
      readonly text: string;
      readonly language: string;
      readonly block: string;
      readonly isPrivate?: boolean;
    }
  | { readonly kind: 'output'; readonly text: string; readonly block: string; readonly isPrivate?: boolean }
  | { readonly kind: 'reasoning'; readonly text: string; readonly begins?: boolean }
  /**
   * A marker in the text that became links; `text` is how it reads in Markdown, `plain` what is
   * left of it without links.
   */
  | {
      readonly kind: 'citation';
      readonly text: string;
      readonly plain?: string;
      readonly links: readonly Link[];
    }
  /** A step of browsing or of searching files. */
  | { readonly kind: 'search'; readonly queries: readonly string[]; readonly links: readonly Link[] }
  | { readonly kind: 'image'; readonly asset: AssetRef; readonly prompt: string | null }
  /** The address of a link in the text: it stands between `](` and `)`. */
  | { readonly kind: 'file'; readonly asset: AssetRef }
  /** Sources of the whole answer, which its text does not link. */
  | { readonly kind: 'sources'; readonly links: readonly Link[] }
  /** A document written beside the answer; `language` is null for prose. */
  | {
      readonly kind: 'document';
      readonly title: string;
      readonly text: string;
      readonly language?: string | null;
    }
  /** Something the reader should know. */
  | { readonly kind: 'notice'; readonly text: string }
  | { readonly kind: 'finish'; readonly reason: FinishReason }
  | { readonly kind: 'error'; readonly message: string; readonly code: string | null };
