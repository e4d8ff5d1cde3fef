/**
 * A message as the conversation service sends it. Only what we read is typed, and everything may be
 * missing: records show trimmed messages, and deltas build them piece by piece.
 */
export type Message = {
  readonly id?: string;
  readonly author?: { readonly role?: string; readonly name?: string | null };
  readonly content?: Content;
  readonly status?: string;
  readonly end_turn?: boolean | null;
  readonly metadata?: Metadata;
  readonly recipient?: string;
  readonly channel?: string | null;
};

export type Content = {
  readonly content_type?: string;
  readonly parts?: readonly unknown[];
  readonly text?: string;
  readonly language?: string;
  readonly name?: string;
  readonly thoughts?: readonly { readonly summary?: string; readonly content?: string }[];
  readonly url?: string;
  readonly title?: string;
};

export type Metadata = {
  readonly model_slug?: string;
  readonly message_type?: string | null;
  readonly finish_details?: { readonly type?: string };
  readonly is_visually_hidden_from_conversation?: boolean;
  readonly is_thinking_preamble_message?: boolean;
  readonly citations?: readonly Citation[];
  readonly content_references?: readonly ContentReference[];
  readonly aggregate_result?: {
    readonly messages?: readonly {
      readonly message_type?: string;
      readonly image_url?: string;
      readonly text?: string;
    }[];
    readonly final_expression_output?: string | null;
    readonly in_kernel_exception?: { readonly name?: string; readonly traceback?: readonly string[] } | null;
  };
  /** Files that a tool made. */
  readonly attachments?: readonly {
    readonly id?: string;
    readonly name?: string;
    readonly mime_type?: string;
  }[];
  readonly parent_id?: string;
  readonly is_visually_hidden_reasoning_group?: boolean;
  readonly ui_card?: unknown;
  readonly jit_plugin_data?: {
    readonly from_server?: { readonly type?: string; readonly body?: ConfirmBody };
  };
  readonly _cite_metadata?: {
    readonly metadata_list?: readonly { readonly title?: string; readonly url?: string }[];
  };
  readonly search_queries?: readonly { readonly q?: string }[];
  readonly search_model_queries?: { readonly queries?: readonly string[] };
  readonly search_result_groups?: readonly { readonly entries?: readonly SearchEntry[] }[];
  readonly async_task_type?: string;
  /** The result of work in the background. */
  readonly is_async_task_result_message?: boolean;
  readonly image_gen_async?: boolean;
  readonly image_gen_task_id?: string;
  readonly ui_card_title?: string;
};

/** A search result, and the id that markers name it by. */
export type SearchEntry = {
  readonly title?: string;
  readonly url?: string;
  readonly ref_id?: {
    readonly turn_index?: number;
    readonly ref_type?: string;
    readonly ref_index?: number;
  } | null;
};

/** A source of an old marker `【n†label】`. */
export type Citation = {
  /** Where the mark begins in the text, in characters. */
  readonly start_ix?: number;
  readonly metadata?: {
    readonly type?: string;
    readonly title?: string;
    readonly name?: string;
    readonly url?: string;
    readonly extra?: { readonly cited_message_idx?: number; readonly search_result_idx?: number | null };
  };
};

/** One source in a reference, in any of the shapes that were seen. */
export type ReferenceItem = {
  readonly title?: string;
  readonly url?: string;
  readonly attribution?: string;
  /** The address of a picture. */
  readonly content_url?: string;
  /** The address of a file in a connected drive. */
  readonly cloud_doc_url?: string;
  readonly supporting_websites?: readonly ReferenceItem[] | null;
};

/** What a newer, private-use marker stands for. It fills while the text streams. */
export type ContentReference = ReferenceItem & {
  readonly matched_text?: string;
  readonly type?: string;
  readonly alt?: string | null;
  readonly invalid?: boolean;
  readonly status?: string;
  readonly items?: readonly ReferenceItem[] | null;
  readonly fallback_items?: readonly ReferenceItem[] | null;
  readonly item?: ReferenceItem | null;
  readonly sources?: readonly ReferenceItem[] | null;
  readonly images?: readonly ReferenceItem[] | null;
  readonly safe_urls?: readonly string[] | null;
  readonly name?: string;
};

/** What a GPT's action asks before it acts. */
export type ConfirmBody = {
  readonly domain?: string;
  readonly is_consequential?: boolean;
  readonly operation?: string;
  readonly actions?: readonly {
    readonly type?: string;
    readonly allow?: { readonly target_message_id?: string };
    readonly always_allow?: { readonly target_message_id?: string; readonly operation_hash?: string };
  }[];
};

/** The objects in what should be a list of them: the wire may hold anything. */
export function listOf<T extends object>(value: readonly (T | null)[] | null | undefined): readonly T[] {
  return Array.isArray(value)
    ? value.filter((each: T | null): each is T => typeof each === 'object' && each !== null)
    : [];
}

/** Whether a message has come to its end; its text will not grow. */
export function isFinished(message: Message): boolean {
  return message.status !== undefined && message.status !== 'in_progress';
}

/** The text of a message: its string parts joined, or its one text. */
export function textOf(content: Content | undefined): string {
  if (!content) return '';
  if (typeof content.text === 'string') return content.text;
  const { parts } = content;
  if (!parts) return '';
  if (parts.length === 1) return typeof parts[0] === 'string' ? parts[0] : '';
  return parts.filter((part): part is string => typeof part === 'string').join('');
}
