/** How an answer is written down. */
export type Style = {
  /** Whether what tools did is shown: code, its output, searches. */
  readonly toolOutput: boolean;
  /** Whether sources become links; without them the marks are left out. */
  readonly citations: boolean;
  /** Pictures as Markdown, as a bare link each, or not at all. */
  readonly images: 'markdown' | 'link' | 'none';
  /** Whether text is Markdown: code in fences, sources as links. */
  readonly markdown: boolean;
};

/** Everything, as a chat UI shows it. */
export const markdownStyle: Style = { toolOutput: true, citations: true, images: 'markdown', markdown: true };

/** The four switches of bot mode; what is not switched on is left out. */
export type BotMode = {
  readonly markdownImages: boolean;
  readonly plainImageLinks: boolean;
  readonly citations: boolean;
  readonly toolOutput: boolean;
};

/** For bots that show plain text. */
export function botStyle(bot: BotMode): Style {
  return {
    toolOutput: bot.toolOutput,
    citations: bot.citations,
    images: bot.markdownImages ? 'markdown' : bot.plainImageLinks ? 'link' : 'none',
    markdown: false,
  };
}
