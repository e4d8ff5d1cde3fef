import type { Link } from '../../../segments/segment.ts';

/**
 * Whether the text and the metadata of a message can still change.
 * `growing`: both can. `whole`: the text is complete. `closed`: both are complete.
 */
export type TextState = 'growing' | 'whole' | 'closed';

export type MarkerOptions = {
  /** The message whose sandbox the links name; null keeps links to a sandbox as they are. */
  readonly messageId: string | null;
  /** Whether the text is code: then only private-use markers are read. */
  readonly isCode?: boolean;
  /** The turn's search results by their id, as in `turn0search1`. */
  readonly results?: ReadonlyMap<string, Link>;
  /** Whether a marker waits for its reference; if not, it is decided at once. */
  readonly waits: boolean;
};
