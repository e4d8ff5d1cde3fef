import * as v from 'valibot';

/** The description of a setting: its environment name, and what it is for. */
export type About = {
  /** The environment name that sets it without a file. */
  readonly env?: string;
  /** Names of the same setting in the projects that sluice replaces. */
  readonly olderEnv?: readonly string[];
  /** How an environment string becomes its value. */
  readonly form?: 'text' | 'number' | 'bytes' | 'flag' | 'list';
  /** The only runtime where it has an effect. A start on the other one warns. */
  readonly onlyOn?: 'node' | 'workers';
  readonly docs: string;
};

type Schema = v.GenericSchema;

/** A schema with its description. */
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
    v.regex(/^[\x21-\x2b\x2d-\x7e]+$/, 'must be a key: no spaces, commas or control characters'),
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
