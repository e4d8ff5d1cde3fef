import { readFile } from 'node:fs/promises';
import { isInline, type Loaded, loadSettings } from '../../settings/load.ts';

/** Reads the settings file that `SLUICE_CONFIG` or the command line names (`./sluice.json` where it stands) and the environment. */
export async function readSettings(
  env: NodeJS.ProcessEnv,
  options: { configPath?: string | undefined } = {},
): Promise<Loaded> {
  if (!options.configPath && isInline(env.SLUICE_CONFIG)) return loadSettings({ env, platform: 'node' });
  const named = options.configPath ?? (env.SLUICE_CONFIG || undefined);
  const path = named ?? 'sluice.json';
  let text: string | undefined;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (named !== undefined || code !== 'ENOENT') {
      return {
        ok: false,
        errors: [
          `${path}: could not be read (${code}). Check the path in SLUICE_CONFIG and its permissions.`,
        ],
      };
    }
  }
  return loadSettings({ env, platform: 'node', file: text === undefined ? undefined : { name: path, text } });
}
