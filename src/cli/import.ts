import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importLegacyFiles, lookedAt, withComments } from '../settings/import-legacy.ts';
import { loadSettings } from '../settings/load.ts';

/**
 * `sluice import FOLDER [--out FILE]`: makes a settings file of an older project's own files, and says what did not come along. Never writes over a file.
 */
export async function importFrom(
  folder: string,
  out: string,
  env: NodeJS.ProcessEnv,
): Promise<{ text: string; ok: boolean }> {
  const wrong = (text: string) => ({ ok: false, text: `sluice: ${text}\n` });
  if (!existsSync(folder))
    return wrong(`${folder}: there is no such folder. Name the one that the older project runs in.`);
  const [toml, yaml] = await Promise.all([import('smol-toml'), import('yaml')]);
  let moved: ReturnType<typeof importLegacyFiles>;
  try {
    const files = new Map<string, string>();
    for (const names of lookedAt) {
      const name = names.find((each) => existsSync(join(folder, each)));
      if (name) files.set(name, await readFile(join(folder, name), 'utf8'));
    }
    moved = importLegacyFiles(files, { toml: toml.parse, yaml: yaml.parse });
  } catch (error) {
    return wrong(`a file in ${folder} could not be read: ${(error as Error).message.split('\n')[0]}`);
  }
  if (!moved)
    return wrong(
      `${folder}: nothing of PandoraToV1Api, RefreshToV1Api, p2vapi_worker, openai-workers-proxy or chatgptProxyAPI is in it. Looked for ${lookedAt.flat().join(', ')}.`,
    );
  const text = withComments(moved);
  // A name in the environment may be set later; what is wrong otherwise is told now.
  const names = [...text.matchAll(/"env:(\w+)"/g)].map(([, name]) => [name, 'later-0123456789']);
  const checked = loadSettings({
    env: { ...Object.fromEntries(names), ...(env.PUBLIC_RELAY ? { PUBLIC_RELAY: env.PUBLIC_RELAY } : {}) },
    platform: 'node',
    file: { name: out, text },
  });
  try {
    // It may hold keys, and must not take another file's place.
    await writeFile(out, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return wrong(
      code === 'EEXIST'
        ? `${out}: is there already. Name another file with --out, or move it away.`
        : `${out}: could not be written (${code}). Name another file with --out.`,
    );
  }
  const notes = [...moved.notes, ...(checked.ok ? checked.warnings : checked.errors)];
  return {
    ok: true,
    text: `Wrote ${out} from ${moved.from.join(', ')}.\n${notes.length > 0 ? `\nWorth knowing\n${notes.map((note) => `  - ${note}\n`).join('')}` : ''}\nNext: sluice check --config ${out}, then sluice --config ${out}\n`,
  };
}
