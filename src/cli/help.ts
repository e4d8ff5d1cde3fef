import { readFile } from 'node:fs/promises';
import { describeSettings } from '../settings/schema.ts';

/** The text of `sluice --help`: the commands, and every setting as it is declared. */
export function help(): string {
  const settings = describeSettings()
    .map(
      ({ key, env, olderEnv = [], docs, default: value }) =>
        `  ${[env, ...olderEnv, key].filter(Boolean).join(', ')}${shown(value)}\n${wrapped(docs)}`,
    )
    .join('\n');
  return `sluice: a gateway for programs that speak the OpenAI API

  sluice [start]       start the gateway
  sluice check         explain the configuration, and whether it is right
  sluice import FOLDER make a settings file (--out FILE, default sluice.json) of an older project's own
  sluice doctor [URL]  look at a running gateway as its callers do (--key KEY or SLUICE_KEY, --origin
                       https://PAGE, --idle to try a minute of silence)
  sluice schema        print the JSON Schema of the settings file
  sluice help          this text

  -c, --config FILE    the settings file (default: SLUICE_CONFIG, else ./sluice.json where it stands)
  -h, --help           this text
  -v, --version        the version

Settings: the environment name, the key in the settings file, the default
  OPENAI_BASE_URL
      An OpenAI-compatible upstream, with or without /v1 (default https://api.openai.com/v1 once a key is set).
  OPENAI_API_KEY
      Server-side key for it; without one the caller's own key is passed on.
  BASE_URL, PROXY_API_PREFIX
      An upstream that speaks the ChatGPT web app's backend-api, and its path prefix.
${settings}
`;
}

function shown(value: unknown): string {
  if (value === undefined || value === '') return '';
  return ` (default ${typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)})`;
}

function wrapped(docs: string): string {
  const lines: string[] = [];
  let line = '     ';
  for (const word of docs.split(' ')) {
    if (line.length + word.length > 98) {
      lines.push(line);
      line = '     ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

/** The version of this package. */
export async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
