import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

type Entry = {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, Entry>>;
};

/** Every package but the root, by its folder. */
const installed = Object.entries(lock.packages).filter(([folder]) => folder !== '');

/** Whether Node would find `name` from `folder`: in its own node_modules or in one further up. */
function resolves(folder: string, name: string): boolean {
  for (let from = folder; ; from = from.slice(0, from.lastIndexOf('/node_modules/'))) {
    if (lock.packages[`${from}/node_modules/${name}`]) return true;
    if (!from.includes('/node_modules/')) return lock.packages[`node_modules/${name}`] !== undefined;
  }
}

// `npm install` silently leaves out optional packages that the registry does not have yet.
// `npm ci` then refuses the file.
describe('package-lock.json', () => {
  test('has an entry for every dependency, those of other platforms included', () => {
    const missing = installed.flatMap(([folder, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !resolves(folder, name))
        .map((name) => `${folder} needs ${name}`),
    );
    expect(installed.length).toBeGreaterThan(100);
    expect(missing).toEqual([]);
  });

  test('has an integrity hash for every package', () => {
    expect(installed.filter(([, entry]) => !entry.integrity).map(([folder]) => folder)).toEqual([]);
  });

  test('names no registry host', () => {
    expect(installed.filter(([, entry]) => entry.resolved).map(([folder]) => folder)).toEqual([]);
  });
});
