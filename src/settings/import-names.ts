import { knownNames, upstreamNames } from './environment-names.ts';
import type { Environment } from './import-types.ts';
import { describeSettings } from './schema.ts';

/** Values of sample files that the owner was meant to replace. */
export const placeholder = /^<.*>$|\byour/i;

/**
 * Names whose values are secrets. They are not copied out of a `.env`: the settings refer to them
 * by name.
 */
const secretNames = new Set([
  ...upstreamNames.filter((name) => name.endsWith('_KEY')),
  ...describeSettings().flatMap(({ env, secret }) => (env && secret ? [env] : [])),
]);

/** Why a name of an older project has no counterpart here. */
const skipped: Readonly<Record<string, string>> = {
  PROCESS_THREADS: 'is skipped: one process serves many requests at the same time.',
  TZ: 'is skipped: the log has times in UTC.',
};

/** The names that mean something here and have a value; the others are noted. */
export function keepKnown(environment: Environment, file: string, notes: string[]): Environment {
  const names = knownNames();
  const out: Environment = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === '') continue;
    if (names.has(name)) out[name] = value;
    else notes.push(`${file}: ${name} ${skipped[name] ?? 'is skipped: there is no such setting here.'}`);
  }
  return out;
}

/** Replaces secrets by references to their names. */
export function secretsByName(environment: Environment, file: string, notes: string[]): Environment {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => {
      if (!secretNames.has(name)) return [name, value];
      notes.push(
        `${file}: ${name} is not copied. The settings refer to it by name: put the line into a .env beside the settings file, or set it in the environment.`,
      );
      return [name, `env:${name}`];
    }),
  );
}

/** Removes values of sample files, with a note for each. */
export function withoutPlaceholders(environment: Environment, notes: string[]): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => {
      if (!placeholder.test(value)) return true;
      notes.push(`${name}: "${value}" is a sample value and is skipped. Set your own.`);
      return false;
    }),
  );
}
