import { readFile } from 'node:fs/promises';
import type { SettingsFile } from '../../settings/file.ts';
import { isInline, type Loaded, loadSettings } from '../../settings/load.ts';

/** Reads the settings file that `SLUICE_CONFIG` or the command line names (`./sluice.json` where it stands), the GPTs' file and the environment. */
export async function readSettings(
  env: NodeJS.ProcessEnv,
  options: { configPath?: string | undefined } = {},
): Promise<Loaded> {
  const inline = !options.configPath && isInline(env.SLUICE_CONFIG);
  const named = options.configPath ?? (inline ? undefined : env.SLUICE_CONFIG || undefined);
  const file = inline ? null : await read(named, 'sluice.json', 'SLUICE_CONFIG');
  if (typeof file === 'string') return { ok: false, errors: [file] };
  const sources = { env, platform: 'node' as const, file: file ?? undefined };
  const loaded = loadSettings(sources);
  if (!loaded.ok) return loaded;
  // Where the GPTs' file lies is a setting itself.
  const isNamed = loaded.origins.gptsFile !== undefined;
  const gptsFile = await read(isNamed ? loaded.settings.gptsFile : undefined, 'gpts.json', 'GPTS_FILE');
  if (typeof gptsFile === 'string') return { ok: false, errors: [gptsFile] };
  return gptsFile === null ? loaded : loadSettings({ ...sources, gptsFile });
}

/** A file that was named, or one that may stand at its usual place; an error in words where it cannot be read. */
async function read(
  named: string | undefined,
  usual: string,
  setting: string,
): Promise<SettingsFile | string | null> {
  const name = named ?? usual;
  try {
    return { name, text: await readFile(name, 'utf8') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (named === undefined && code === 'ENOENT') return null;
    return `${name}: could not be read (${code}). Check the path in ${setting} and its permissions.`;
  }
}
