import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Imported, importLegacyFiles, legacyFiles, withComments } from '../settings/import-legacy.ts';
import { loadSettings } from '../settings/load.ts';
import { importPictures } from './import-pictures.ts';

type Result = { readonly text: string; readonly ok: boolean };

/**
 * `sluice import FOLDER [--out FILE]`: writes a settings file from the files of an older project,
 * and lists what could not be converted. Never overwrites a file.
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
  const dataDir = env.DATA_DIR || './data';
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
  const count = await importPictures(rootOf(folder), dataDir);
  const pictures =
    count === 0
      ? []
      : [
          `${count} ${count === 1 ? 'picture was' : 'pictures were'} copied to ${dataDir}, so that links in old conversations work.`,
        ];
  return { ok: true, text: report(imported, out, [...pictures, ...problems]) };
}

async function read(folder: string): Promise<Imported | null> {
  const [toml, yaml] = await Promise.all([import('smol-toml'), import('yaml')]);
  const root = rootOf(folder);
  const files = new Map<string, string>();
  for (const names of legacyFiles) {
    const name = names.find((each) => existsSync(join(root, each)));
    if (name) files.set(name, await readFile(join(root, name), 'utf8'));
  }
  return importLegacyFiles(files, { toml: toml.parse, yaml: yaml.parse });
}

/**
 * The folder of the project. Given its data folder, that is one folder up, with the compose file
 * that has the port.
 */
function rootOf(folder: string): string {
  const isData = basename(resolve(folder)) === 'data' && existsSync(join(folder, 'config.json'));
  return isData ? dirname(resolve(folder)) : folder;
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
