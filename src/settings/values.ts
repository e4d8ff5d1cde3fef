import * as v from 'valibot';

/** What describes a setting beyond its type: its environment name, and what it is for. */
export type About = {
  /** The environment name that sets it. */
  readonly env?: string;
  /** Other environment names for the same: names of older projects, and lower-case spellings. */
  readonly olderEnv?: readonly string[];
  /** How the text of the environment becomes a value. */
  readonly form?: 'text' | 'number' | 'bytes' | 'flag' | 'list';
  /** The only runtime where it has an effect. A start on the other one warns. */
  readonly onlyOn?: 'node' | 'workers';
  /** Whether the value holds a key or a password: it is then never shown. */
  readonly secret?: true;
  readonly docs: string;
};

type Schema = v.GenericSchema;

/** A schema with the description of the setting. */
export function setting<const T extends Schema>(schema: T, about: About) {
  return v.pipe(schema, v.metadata(about));
}

export const text = () => v.pipe(v.string(), v.minLength(1, 'must not be empty'));
export const seconds = () =>
  v.pipe(
    v.number(),
    v.minValue(0, 'must be 0 or more seconds'),
    v.maxValue(86_400, 'must be at most 86400 seconds'),
  );
export const bytes = () =>
  v.pipe(v.number(), v.integer('must be a whole number of bytes'), v.minValue(0, 'must be 0 or more bytes'));
export const count = (least = 0) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least, `must be ${least} or more`));
export const countUpTo = (most: number, least = 0) =>
  v.pipe(count(least), v.maxValue(most, `must be at most ${most}`));
export const flag = () => v.boolean();
export const httpUrl = () =>
  v.pipe(
    v.string(),
    v.check((value) => {
      const url = URL.parse(value);
      return (
        url !== null &&
        /^https?:$/.test(url.protocol) &&
        !url.username &&
        !url.password &&
        !url.search &&
        !url.hash
      );
    }, 'must be an http:// or https:// address without user name, query or fragment'),
  );
export const name = () =>
  v.pipe(
    v.string(),
    v.regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      'must be a name of letters, digits, dots, dashes and underscores',
    ),
  );

export const key = () =>
  v.pipe(
    v.string(),
    v.regex(
      /^[\x21-\x2b\x2d-\x7e]+$/,
      'must be a key: printable ASCII characters, without spaces and commas',
    ),
  );

const nameOfKey = /^([A-Za-z0-9][\w.-]{0,63})=(?!=*$)/;

/**
 * An access key, or `name=key`. The `=` that pads base64 at the end of a key makes no name.
 */
export const accessKey = () =>
  v.pipe(
    key(),
    v.transform((entry) => {
      const name = nameOfKey.exec(entry)?.[1] ?? null;
      return { name, key: name === null ? entry : entry.slice(name.length + 1) };
    }),
  );

/**
 * The domain of a bucket as owners write it: with or without scheme and slash. The value has
 * neither.
 */
export const publicDomain = () =>
  v.pipe(
    v.string(),
    v.transform((value) =>
      value
        .trim()
        .replace(/^https?:\/\//i, '')
        .replace(/\/+$/, ''),
    ),
    v.regex(
      /^[a-z0-9][a-z0-9.-]{0,252}(:\d{1,5})?(\/[\w.~-]+)*$/i,
      'must be a domain as pictures.example, or its address',
    ),
  );

/** The address of a proxy, as `curl` accepts it: without a scheme it is an HTTP proxy. */
export const proxyUrl = () =>
  v.pipe(
    v.string(),
    v.transform((value) => (/^[a-z0-9]+:\/\//i.test(value) ? value : `http://${value}`)),
    v.check((value) => {
      const url = URL.parse(value);
      return url !== null && /^(https?|socks5?):$/.test(url.protocol) && url.hostname !== '';
    }, 'must be the address of a proxy as http://host:port or socks5://host:port'),
  );

/** A log level in any case, by our names or by those of Python's logging. */
export function logLevel(value: string): string {
  const level = value.trim().toLowerCase();
  return { warning: 'warn', critical: 'error', fatal: 'error' }[level] ?? level;
}
