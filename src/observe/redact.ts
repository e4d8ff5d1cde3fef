import { holdsKey } from '../http/key-in-text.ts';

const mark = '[redacted]';
/** Shorter secrets are not searched for: they would be found in ordinary words. */
const shortestSecret = 4;

/**
 * Removes every key from a log line: known secrets by value, others by shape. It runs where lines
 * are written, so that no other code needs to know what may be logged. Takes linear time.
 */
export function redact(line: string, secrets: readonly string[]): string {
  const text = withoutSecrets(line, secrets);
  return keySigns.some((sign) => text.includes(sign))
    ? text.replace(keyRuns, redactedRun).replace(bearerToken, `$1${mark}`)
    : text;
}

/**
 * What every known shape of a key contains. Most lines have none of them and are searched no
 * further.
 */
const keySigns = ['k-', 'K-', 'sess-', 'SESS-', 'eyJ', 'earer', 'EARER'];

/** Runs of the characters that keys are made of. A single class without limit takes linear time. */
const keyRuns = /[\w.-]{11,}/g;
/**
 * The beginning of an API key. The part that repeats is not matched: `redactedRun` takes all of the
 * run.
 */
const apiKey = /(?:^|[.-])(?:sk|fk|pk|rk|sess)-[\w-]{8}/i;
/** The beginning of a JSON Web Token. */
const webToken = /(?:^|[.-])eyJ[\w-]{8}/;
const bearerToken = /(\bbearer[ \t]{1,8})[^\s"',}]{6,}/gi;

/** A run without the key in it, from the key's beginning on. */
function redactedRun(run: string): string {
  const key = apiKey.exec(run);
  const token = webToken.exec(run);
  const isToken = token !== null && run.indexOf('.', token.index + 1) > 0;
  const start = Math.min(startOf(key), isToken ? startOf(token) : Number.POSITIVE_INFINITY);
  return start === Number.POSITIVE_INFINITY ? run : run.slice(0, start) + mark;
}

function startOf(match: RegExpExecArray | null): number {
  if (match === null) return Number.POSITIVE_INFINITY;
  return match.index + (/^[.-]/.test(match[0]) ? 1 : 0);
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let out = text;
  for (const secret of secrets)
    if (secret.length >= shortestSecret && out.includes(secret)) out = out.replaceAll(secret, mark);
  return out;
}

/**
 * Removes secrets from the words of an upstream before they go to a caller. A text that holds a
 * secret in another encoding (percent-encoded, base64) is removed as a whole.
 */
export function redactWords(words: string, secrets: readonly string[]): string {
  const text = withoutSecrets(words, secrets);
  return secrets.some((secret) => holdsKey(text, secret)) ? mark : text;
}

/**
 * Removes secrets from a body, such as the error of an upstream that repeats the key it refuses.
 * Each is replaced by as many bytes, so that Content-Length stays true. Returns the same bytes if
 * there is none.
 */
export function redactBytes(bytes: Uint8Array, secrets: readonly string[]): Uint8Array {
  let out = bytes;
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue;
    const sought = encoder.encode(secret);
    const cover = encoder.encode(
      mark.length <= sought.length ? mark.padEnd(sought.length, '*') : '*'.repeat(sought.length),
    );
    for (let at = indexOfBytes(out, sought, 0); at >= 0; at = indexOfBytes(out, sought, at + sought.length)) {
      if (out === bytes) out = bytes.slice();
      out.set(cover, at);
    }
  }
  return out;
}

const encoder = new TextEncoder();

/**
 * The index of a byte sequence; -1 if it is not there. A secret does not repeat itself: this is
 * linear for it.
 */
function indexOfBytes(bytes: Uint8Array, sought: Uint8Array, from: number): number {
  const first = sought[0] as number;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let length = 1;
    while (length < sought.length && bytes[at + length] === sought[length]) length++;
    if (length === sought.length) return at;
  }
  return -1;
}

/**
 * A record for the log without its request's secrets, such as a key of unknown shape that
 * the caller put into the path or the model. Returns the same record if there is none.
 */
export function redactFields<T extends Readonly<Record<string, unknown>>>(
  record: T,
  secrets: readonly string[],
): T {
  if (secrets.length === 0) return record;
  let out = record;
  for (const [name, value] of Object.entries(record)) {
    if (typeof value !== 'string') continue;
    const text = redactWords(value, secrets);
    if (text !== value) out = { ...out, [name]: text };
  }
  return out;
}
