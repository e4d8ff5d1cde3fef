import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import type { SettingsFile } from '../../settings/file.ts';
import { isInline, type Loaded, loadSettings } from '../../settings/load.ts';

/**
 * Reads the settings: the environment, a `.env` file, the file that `SLUICE_CONFIG` or the command
 * line names (by default `./sluice.json`), and the `gpts.json` beside it.
 */
export async function readSettings(
  processEnv: NodeJS.ProcessEnv,
  options: { configPath?: string | undefined } = {},
): Promise<Loaded> {
  try {
    return await read(processEnv, options.configPath);
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, errors: [error.message] };
    throw error;
  }
}

async function read(processEnv: NodeJS.ProcessEnv, configPath: string | undefined): Promise<Loaded> {
  const isNamed = configPath !== undefined || Boolean(processEnv.SLUICE_CONFIG);
  // A .env in the working folder may name the settings file itself.
  let env = isNamed ? processEnv : await withDotenv(processEnv, '.env');
  const inline = configPath === undefined && isInline(env.SLUICE_CONFIG);
  const path = configPath ?? (inline ? undefined : env.SLUICE_CONFIG || undefined);
  const folder = path === undefined ? '.' : dirname(path);
  if (path !== undefined && !(folder === '.' && !isNamed)) env = await withDotenv(env, join(folder, '.env'));
  const setting = configPath === undefined ? 'SLUICE_CONFIG' : '--config';
  const file = inline
    ? undefined
    : await (path === undefined ? ifThere('sluice.json') : named(path, setting));
  const sources = { env, platform: 'node' as const, file };
  const loaded = loadSettings(sources);
  if (!loaded.ok) return loaded;
  // The path of the GPTs' file is a setting itself.
  const gptsFile =
    loaded.origins.gptsFile === undefined
      ? ((await ifThere(join(folder, 'gpts.json'))) ?? (await ifThere('gpts.json')))
      : await named(loaded.settings.gptsFile, 'GPTS_FILE');
  return gptsFile === undefined ? loaded : loadSettings({ ...sources, gptsFile });
}

/**
 * The environment with the values of a `.env` file, if there is one. What the process has set wins.
 */
async function withDotenv(env: NodeJS.ProcessEnv, path: string): Promise<NodeJS.ProcessEnv> {
  const file = await ifThere(path);
  if (file === undefined) return env;
  // An empty value counts as unset, as everywhere: compose files pass many.
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return { ...parseEnv(file.text.replace(/^\uFEFF/, '')), ...Object.fromEntries(set) };
}

/** A file that a setting names. */
async function named(path: string, setting: string): Promise<SettingsFile> {
  try {
    return { name: path, text: await readFile(path, 'utf8') };
  } catch (error) {
    throw new Unreadable(path, error, `Check the path in ${setting} and the permissions of the file.`);
  }
}

/** A file at its default place; undefined if there is none. */
async function ifThere(path: string): Promise<SettingsFile | undefined> {
  try {
    return { name: path, text: await readFile(path, 'utf8') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw new Unreadable(path, error, 'Check the permissions of the file.');
  }
}

class Unreadable extends Error {
  constructor(path: string, error: unknown, advice: string) {
    super(`${path} could not be read (${(error as NodeJS.ErrnoException).code}). ${advice}`);
  }
}
