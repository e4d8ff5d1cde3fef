import { Failure } from '../../http/failure.ts';
import type { Contents, Input } from './inputs.ts';
import type { Attached } from './upload.ts';

type Payload = Readonly<Record<string, unknown>>;

const roles: Readonly<Record<string, string>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'user',
  function: 'user',
};

type Fields = Readonly<Record<string, unknown>>;

/**
 * All messages in one list, each with its role. Throws a 400 that names one that cannot be sent.
 */
export function messagesOf(
  messages: readonly unknown[],
  contents: readonly Contents[],
  attached: ReadonlyMap<Input, Attached | null>,
  newId: () => string,
): Payload[] {
  const calls = new Map<unknown, string>();
  const out = messages.flatMap((message: unknown, i): Payload[] => {
    const fields = (typeof message === 'object' && message !== null ? message : {}) as Fields;
    const { role } = fields;
    const known = typeof role === 'string' && Object.hasOwn(roles, role) ? roles[role] : undefined;
    if (!known)
      throw new Failure(
        'invalid_request',
        `messages[${i}].role must be system, developer, user, assistant or tool.`,
        { param: `messages[${i}].role` },
      );
    const { text, inputs, parts } = contents[i] as Contents;
    const called = known === 'assistant' ? callsIn(fields, calls) : '';
    const before = role === 'tool' || role === 'function' ? resultHeading(fields, calls) : '';
    if (text === '' && called === '' && inputs.length === 0 && known !== 'user') return [];
    const words = [before + text, called].filter((each) => each !== '').join('\n');
    const files = inputs.flatMap((input) => attached.get(input) ?? []);
    const ordered = parts.filter((part) => typeof part === 'string').length > 1 ? parts : null;
    return [
      {
        id: newId(),
        author: { role: known },
        content: ordered && before === '' ? orderedContent(ordered, attached) : contentOf(words, files),
        metadata: files.length > 0 ? { attachments: files.map(attachmentOf) } : {},
      },
    ];
  });
  if (out.length === 0)
    throw new Failure('invalid_request', '"messages" holds no text to answer.', { param: 'messages' });
  return out;
}

/**
 * The calls of an assistant's message in words: the upstream knows no calls of the caller's tools.
 */
function callsIn({ tool_calls: list }: Fields, calls: Map<unknown, string>): string {
  const lines = (Array.isArray(list) ? list : []).flatMap((call: Fields | null) => {
    const { name, arguments: values } = (call?.function ?? {}) as Fields;
    if (typeof name !== 'string') return [];
    calls.set(call?.id, name);
    return [`[Called ${name}(${typeof values === 'string' ? values : ''})]`];
  });
  return lines.join('\n');
}

function resultHeading({ name, tool_call_id: id }: Fields, calls: ReadonlyMap<unknown, string>): string {
  const tool = typeof name === 'string' ? name : calls.get(id);
  return `[Result of ${tool ?? 'the tool'}]\n`;
}

/**
 * One text: pictures stand before it, as the web app sends them; documents only in the metadata.
 */
function contentOf(text: string, files: readonly Attached[]): Payload {
  const pictures = files.filter(({ useCase }) => useCase === 'multimodal');
  if (pictures.length === 0) return { content_type: 'text', parts: [text] };
  return { content_type: 'multimodal_text', parts: [...pictures.map(pointerTo), text] };
}

/** Several texts: they and the pictures between them keep their order. */
function orderedContent(
  parts: readonly (string | Input)[],
  attached: ReadonlyMap<Input, Attached | null>,
): Payload {
  const sent = parts.flatMap((part): (string | Payload)[] => {
    if (typeof part === 'string') return [part];
    const file = attached.get(part);
    return file?.useCase === 'multimodal' ? [pointerTo(file)] : [];
  });
  if (sent.some((part) => typeof part !== 'string')) return { content_type: 'multimodal_text', parts: sent };
  return { content_type: 'text', parts: [sent.join('\n')] };
}

/** Newer ids begin with `file_`, and have a scheme of their own. */
function pointerTo({ id, bytes, size }: Attached): Payload {
  return {
    content_type: 'image_asset_pointer',
    asset_pointer: `${id.startsWith('file_') ? 'sediment' : 'file-service'}://${id}`,
    size_bytes: bytes,
    width: size?.width ?? 0,
    height: size?.height ?? 0,
  };
}

/**
 * An attachment under both spellings of its type; documents carry a count of tokens, which any
 * number satisfies.
 */
function attachmentOf({ id, name, bytes, type, size, useCase }: Attached): Payload {
  return {
    id,
    name,
    size: bytes,
    mimeType: type,
    mime_type: type,
    ...(size ?? {}),
    ...(useCase === 'my_files' ? { fileTokenSize: Math.max(1, Math.ceil(bytes / 4)) } : {}),
  };
}
