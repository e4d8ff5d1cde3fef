import { wrongParameter } from '../http/failure.ts';

/** A picture that comes with a request. */
export type GivenPicture = {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly filename: string;
  /** The form field of the picture; a `mask` belongs to another picture. */
  readonly field?: string;
};

/** A request for pictures, understood. */
export type ImageRequest = {
  readonly prompt: string;
  readonly count: number;
  readonly format: 'url' | 'b64_json';
  readonly stream: boolean;
  /** Fields of the request that the response repeats. */
  readonly echo: Readonly<Record<string, string>>;
  /** The other fields as sentences: the upstream accepts only text. */
  readonly details: readonly string[];
  readonly pictures: readonly GivenPicture[];
};

const maxPrompt = 32_000;
const maxCount = 10;

/**
 * Reads a request for pictures from the fields of JSON or a form. Throws a 400 that names the
 * field. `path` tells drawing, changing and varying apart.
 */
export function imageRequest(
  path: string,
  fields: Readonly<Record<string, unknown>>,
  pictures: readonly GivenPicture[],
): ImageRequest {
  const kind = path.split('/').at(-1);
  if (kind !== 'generations' && pictures.length === 0)
    throw wrongParameter('image', 'is missing: send the picture as a part of the form');
  const prompt = kind === 'variations' ? 'Draw a variation of this picture.' : fields.prompt;
  if (typeof prompt !== 'string' || prompt.trim() === '')
    throw wrongParameter('prompt', 'must say what to draw');
  if (prompt.length > maxPrompt)
    throw wrongParameter('prompt', `must be at most ${maxPrompt} characters long`);
  const count = fields.n === undefined || fields.n === null ? 1 : Number(fields.n);
  if (!Number.isInteger(count) || count < 1 || count > maxCount)
    throw wrongParameter('n', `must be a whole number from 1 to ${maxCount}`);
  return {
    prompt,
    count,
    format: formatOf(fields),
    stream: fields.stream === true || fields.stream === 'true',
    details: detailsOf(fields),
    echo: echoOf(fields),
    pictures: masksLast(pictures),
  };
}

function formatOf({ response_format: format, model }: Readonly<Record<string, unknown>>): 'url' | 'b64_json' {
  if (format === undefined || format === null)
    return typeof model === 'string' && model.startsWith('gpt-image') ? 'b64_json' : 'url';
  if (format === 'url' || format === 'b64_json') return format;
  throw wrongParameter('response_format', 'must be "url" or "b64_json"');
}

function detailsOf({ size, quality, style, background }: Readonly<Record<string, unknown>>): string[] {
  const details: string[] = [];
  const dimensions = typeof size === 'string' ? /^(\d{2,5})x(\d{2,5})$/.exec(size) : null;
  if (dimensions) {
    const [width, height] = [Number(dimensions[1]), Number(dimensions[2])];
    const shape = width === height ? 'square' : width > height ? 'wide' : 'tall';
    details.push(`Size: ${size} (${shape}).`);
  } else if (size !== undefined && size !== null && size !== 'auto') {
    throw wrongParameter('size', 'must be WIDTHxHEIGHT, as 1024x1024, or "auto"');
  }
  for (const [name, value] of Object.entries({ Quality: quality, Style: style, Background: background })) {
    if (value === undefined || value === null || value === 'auto') continue;
    if (typeof value !== 'string' || !/^[\w -]{1,40}$/.test(value))
      throw wrongParameter(name.toLowerCase(), 'must be a word');
    details.push(`${name}: ${value}.`);
  }
  return details;
}

/**
 * The text that asks for a picture: the owner's prefix, the prompt, and the other fields in a line.
 */
export function promptFor({ prompt, details, pictures }: ImageRequest, prefix: string): string {
  const text = prefix === '' ? prompt : `${prefix}${/\s$/.test(prefix) ? '' : ' '}${prompt}`;
  const hasMask = pictures.some(({ field }) => field === 'mask');
  const mask = hasMask ? ['The last picture is a mask: change only what is transparent in it.'] : [];
  const lines = [...mask, ...details];
  return lines.length === 0 ? text : `${text}\n\n${lines.join(' ')}`;
}

/** Pictures in the order they are sent: a mask is the last. */
function masksLast(pictures: readonly GivenPicture[]): readonly GivenPicture[] {
  const isMask = ({ field }: GivenPicture) => field === 'mask';
  return [...pictures.filter((each) => !isMask(each)), ...pictures.filter(isMask)];
}

function echoOf(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const names = ['size', 'quality', 'background'] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = fields[name];
      return typeof value === 'string' && value !== 'auto' ? [[name, value]] : [];
    }),
  );
}
