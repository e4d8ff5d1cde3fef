import { mkdirSync, writeFileSync } from 'node:fs';
import { build } from 'vite';
import type { BuiltFile } from '../src/ports/built-files.ts';
import config from '../web/vite.config.ts';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/**
 * Builds the pages of `web/` into one module, `dist/pages/files.js`. Node, Workers and the single
 * file all serve from it.
 */
export async function buildPages(): Promise<void> {
  const result = await build({ ...config, logLevel: 'warn', build: { ...config.build, write: false } });
  if (!('output' in result)) throw new Error('vite gave no output');
  const files = Object.fromEntries(
    result.output.map(({ fileName, ...file }): [string, BuiltFile] => {
      const text = file.type === 'chunk' ? file.code : file.source;
      if (typeof text !== 'string') throw new Error(`${fileName} is no text`);
      const type = types[fileName.split('.').at(-1) ?? ''];
      if (!type) throw new Error(`${fileName} has no known type`);
      const hashed = fileName.startsWith('assets/');
      return [`/${hashed ? fileName : fileName.replace(/\.html$/, '')}`, { type, body: text, hashed }];
    }),
  );
  mkdirSync('dist/pages', { recursive: true });
  writeFileSync('dist/pages/files.js', `export const files = ${JSON.stringify(files, null, 1)};\n`);
}
