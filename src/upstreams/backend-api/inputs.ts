import { maxGivenName } from '../../files/file-name.ts';
import { Failure } from '../../http/failure.ts';
import { decodedSegment } from '../../http/request-target.ts';
import { toBase64 } from '../../streams/bytes.ts';

/** Where the bytes of a part are. */
export type Source =
  | { readonly from: 'url'; readonly url: string }
  | { readonly from: 'data'; readonly base64: string; readonly type: string | null }
  | { readonly from: 'bytes'; readonly bytes: Uint8Array; readonly type: string | null }
  | { readonly from: 'file'; readonly id: string };

/** A picture or file in a message, and its place in the request. */
export type Input = {
  readonly source: Source;
  readonly name: string | null;
  readonly param: string;
  /** Whether it must be a picture that the model can see. */
  readonly isPicture?: boolean;
  /** Whether the request is answered without it if it cannot be fetched. */
  readonly isOptional?: boolean;
};

/** What a message holds: its text, its pictures and files, and both together in their order. */
export type Contents = {
  readonly text: string;
  readonly inputs: readonly Input[];
  readonly parts: readonly (string | Input)[];
};

type Part = Readonly<Record<string, unknown>>;

/** Most pictures and files of one request. Clients send the whole history each time. */
const maxInputs = 64;
/** Most pictures of earlier answers that are sent along. */
const maxOwnPictures = 4;

/**
 * Reads what the messages of a request hold, in the shapes of chat completions and of responses.
 * Pictures in earlier answers that begin with `stem`, which are our own, go with the next message
 * of the user. Throws a 400 that names the part that cannot be understood.
 */
export function contentsOf(messages: readonly unknown[], stem: string | null = null): readonly Contents[] {
  const read = messages.map((message, i) =>
    readContent((message as { content?: unknown } | null)?.content, `messages[${i}].content`),
  );
  const contents = stem === null ? read : withOwnPictures(messages, read, stem);
  const count = contents.reduce((sum, { inputs }) => sum + inputs.length, 0);
  if (count > maxInputs)
    throw new Failure(
      'invalid_request',
      `The messages hold ${count} pictures and files together. At most ${maxInputs} are accepted: leave older ones out.`,
      { param: 'messages' },
    );
  return contents;
}

function readContent(content: unknown, param: string): Contents {
  if (typeof content === 'string') return { text: content, inputs: [], parts: [content] };
  if (content === null || content === undefined) return { text: '', inputs: [], parts: [] };
  if (!Array.isArray(content)) throw wrong(param, 'must be text or a list of parts');
  const parts = content.map((part, i) =>
    readPart((typeof part === 'object' && part !== null ? part : {}) as Part, `${param}[${i}]`),
  );
  const texts = parts.filter((part): part is string => typeof part === 'string');
  const inputs = parts.filter((part): part is Input => typeof part !== 'string');
  return { text: texts.join('\n'), inputs, parts };
}

/**
 * Adds the newest of the gateway's own pictures in the assistant's text to the user's next message.
 */
function withOwnPictures(
  messages: readonly unknown[],
  contents: readonly Contents[],
  stem: string,
): readonly Contents[] {
  const out = [...contents];
  let left = maxOwnPictures;
  let next = -1;
  for (let i = messages.length - 1; i >= 0 && left > 0; i--) {
    const { role } = (messages[i] ?? {}) as { role?: unknown };
    if (role === 'user') next = i;
    if (role !== 'assistant' || next < 0) continue;
    const pictures = picturesIn(contents[i]?.text ?? '', stem, `messages[${i}]`).slice(-left);
    left -= pictures.length;
    const target = out[next] as Contents;
    out[next] = {
      text: target.text,
      inputs: [...pictures, ...target.inputs],
      parts: [...pictures, ...target.parts],
    };
  }
  return out;
}

/** The gateway's own pictures that a text links, each once. */
function picturesIn(text: string, stem: string, param: string): Input[] {
  const start = `${stem}/images/`;
  const urls = new Set<string>();
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + start.length)) {
    const name = /^[\w.-]{1,200}/.exec(text.slice(at + start.length, at + start.length + 200))?.[0];
    if (name !== undefined) urls.add(start + name);
  }
  return [...urls].map((url) => ({
    source: { from: 'url', url },
    name: null,
    param,
    isPicture: true,
    isOptional: true,
  }));
}

function readPart(part: Part, param: string): string | Input {
  const { type } = part;
  switch (type) {
    case 'image_url':
    case 'input_image':
      return { ...fromPart(objectIn(part.image_url ?? part, 'url'), part, param), isPicture: true };
    case 'file_url':
      return fromPart(objectIn(part.file_url ?? part, 'url'), part, param);
    case 'file':
    case 'input_file':
      return fromPart(objectIn(part.file ?? part, 'url'), part, param);
    case 'input_audio':
      throw wrong(
        param,
        'is sound, which this upstream cannot hear. Send its words as text, or the sound as a file part',
      );
  }
  if (typeof part.text === 'string') return part.text;
  if (typeof part.refusal === 'string') return part.refusal;
  throw wrong(
    param,
    `is a part of type ${JSON.stringify(type ?? null)?.slice(0, 60)}, which cannot be sent to this upstream. Send text, image_url or file`,
  );
}

/** A part's address, data or file id, under any of their names. */
function fromPart(inner: Part, outer: Part, param: string): Input {
  const text = (...values: unknown[]) => values.find((value): value is string => typeof value === 'string');
  const name = text(inner.filename, outer.filename, inner.name) ?? null;
  if (name !== null && name.length > maxGivenName)
    throw wrong(param, `has a file name of more than ${maxGivenName} characters`);
  const id = text(inner.file_id, outer.file_id);
  const data = text(inner.file_data, outer.file_data);
  const url = text(inner.url, inner.file_url, outer.file_url);
  // A file of a form: JSON cannot hold bytes.
  if (inner.bytes instanceof Uint8Array)
    return { source: { from: 'bytes', bytes: inner.bytes, type: text(inner.type) ?? null }, name, param };
  if (data !== undefined)
    return {
      source: dataUrl(data, param) ?? { from: 'data', base64: data, type: null },
      name,
      param,
    };
  if (url !== undefined) {
    // A data: address has no name, and may be too long to be parsed as an address.
    const inline = dataUrl(url, param);
    return { source: inline ?? { from: 'url', url }, name: name ?? (inline ? null : nameIn(url)), param };
  }
  if (id !== undefined) return { source: { from: 'file', id }, name, param };
  throw wrong(param, 'names no picture or file: send a "url", "file_data" or "file_id"');
}

function objectIn(value: unknown, otherwise: string): Part {
  return typeof value === 'object' && value !== null ? (value as Part) : { [otherwise]: value };
}

/** `data:[type][;charset=...][;base64],...` (RFC 2397); null for an address of another kind. */
function dataUrl(url: string, param: string): Source | null {
  if (!/^data:/i.test(url)) return null;
  const comma = url.indexOf(',');
  const [type, ...parameters] = url.slice('data:'.length, Math.max(comma, 0)).split(';');
  if (comma < 0) throw wrong(param, 'holds a data: address without data');
  const isBase64 = parameters.some((parameter) => parameter.trim().toLowerCase() === 'base64');
  const data = url.slice(comma + 1);
  return { from: 'data', base64: isBase64 ? data : base64Of(data), type: type || null };
}

function base64Of(percentEncoded: string): string {
  return toBase64(new TextEncoder().encode(decodedSegment(percentEncoded) ?? percentEncoded));
}

/** The last part of an address's path, as a name. */
function nameIn(url: string): string | null {
  const last = URL.parse(url)?.pathname.split('/').at(-1);
  return last ? (decodedSegment(last) ?? last) : null;
}

function wrong(param: string, rule: string): Failure {
  return new Failure('invalid_request', `${param} ${rule}.`, { param });
}
