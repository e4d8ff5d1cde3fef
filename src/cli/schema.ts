import { readFile } from 'node:fs/promises';

/** The JSON Schema of the settings file, as it is published. */
export function schema(): Promise<string> {
  return readFile(new URL('../../sluice.schema.json', import.meta.url), 'utf8');
}
