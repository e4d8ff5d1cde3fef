import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Imported, importLegacyFiles, legacyFiles, withComments } from '../settings/import-legacy.ts';
import { loadSettings } from '../settings/load.ts';

type Result = { readonly text: string; readonly ok: boolean };

/**
 * `sluice import FOLDER [--out FILE]`: writes a settings file from the files of an older project, and lists what
 * could not be converted. Never overwrites a file.
 */
export async function importFrom(folder: string, out: string, env: NodeJS.ProcessEnv): Promise<Result> {
  if (!existsSync(folder))
    return failed(`${folder}: there is no such folder. Name the folder of the older project.`);
  let imported: Imported | null;
  try {
    imported = await read(folder);
  } catch (error) {
    return failed(`a file in ${folder} could not be read: ${(error as Error).message.split('\n')[0]}`);
  }
  if (!imported)
    return failed(
      `${folder}: no file of PandoraToV1Api, RefreshToV1Api, p2vapi_worker, openai-workers-proxy or chatgptProxyAPI is in it. Looked for ${legacyFiles.flat().join(', ')}.`,
    );
  const text = withComments(imported);
  const problems = check(text, out, env);
  try {
    // The file may hold keys.
    await writeFile(out, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return failed(
      code === 'EEXIST'
        ? `${out} already exists. Name another file with --out, or move it away.`
        : `${out} could not be written (${code}). Name another file with --out.`,
    );
  }
  return { ok: true, text: report(imported, out, problems) };
}

async function read(folder: string): Promise<Imported | null> {
  const [toml, yaml] = await Promise.all([import('smol-toml'), import('yaml')]);
  // Given the data folder itself, the compose file with the port is one folder up.
  const root =
    basename(resolve(folder)) === 'data' && existsSync(join(folder, 'config.json'))
      ? dirname(resolve(folder))
      : folder;
  const files = new Map<string, string>();
  for (const names of legacyFiles) {
    const name = names.find((each) => existsSync(join(root, each)));
    if (name) files.set(name, await readFile(join(root, name), 'utf8'));
  }
  return importLegacyFiles(files, { toml: toml.parse, yaml: yaml.parse });
}

/** What a start with this file would say. Environment names that it refers to may be set later. */
function check(text: string, out: string, env: NodeJS.ProcessEnv): readonly string[] {
  const names = [...text.matchAll(/"env:(\w+)"/g)].map(([, name]) => [name, 'later-0123456789']);
  const loaded = loadSettings({
    env: { ...Object.fromEntries(names), ...(env.PUBLIC_RELAY ? { PUBLIC_RELAY: env.PUBLIC_RELAY } : {}) },
    platform: 'node',
    file: { name: out, text },
  });
  return loaded.ok ? loaded.warnings : loaded.errors;
}

function report({ from, notes, worker }: Imported, out: string, problems: readonly string[]): string {
  const lines = [...notes, ...problems].map((note) => `  - ${note}\n`);
  return [
    `Wrote ${out} from ${from.join(', ')}.\n`,
    ...(lines.length > 0 ? ['\nPlease note\n', ...lines] : []),
    ...(worker === null ? [] : [`\n${worker}\n`]),
    `\nNext: sluice check --config ${out}, then sluice --config ${out}\n`,
  ].join('');
}

function failed(text: string): Result {
  return { ok: false, text: `sluice: ${text}\n` };
}
