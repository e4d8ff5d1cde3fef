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
  return `sluice: a gateway for programs that use the OpenAI API

Commands
  sluice [start]        start the gateway
  sluice check          show the settings and test the upstreams and the storage
  sluice import FOLDER  make a settings file from the files of an older project
  sluice doctor [URL]   test a running gateway as its callers see it
  sluice schema         print the JSON Schema of the settings file
  sluice help           print this text

Options
  -c, --config FILE     the settings file (default: SLUICE_CONFIG, or ./sluice.json if it exists)
  -p, --port PORT       start: the port, instead of PORT
      --host ADDRESS    start: the address to listen on, instead of HOST
      --offline         check: test nothing, only read the settings
  -o, --out FILE        import: the file to write (default: sluice.json)
  -k, --key KEY         doctor: the key to send (default: SLUICE_KEY)
      --origin ORIGIN   doctor: test as a web page of https://chat.example, for example
      --idle            doctor: also test 65 seconds without data
  -h, --help            print this text
  -v, --version         print the version

Examples
  sluice                                           the built-in emulator answers
  OPENAI_API_KEY=sk-... sluice                     your key, for programs on this machine
  OPENAI_BASE_URL=http://127.0.0.1:11434/v1 sluice another upstream, here Ollama
  sluice doctor http://127.0.0.1:8080 --key KEY

Settings: the names in the environment, the name in the settings file, the default
  OPENAI_BASE_URL
      An OpenAI-compatible upstream, with or without /v1 (default https://api.openai.com/v1 once a key is set).
  OPENAI_API_KEY
      Its server-side key. Without one, the key of the caller is sent.
  BASE_URL, PROXY_API_PREFIX
      An upstream with the backend-api of the ChatGPT web app, and its path prefix.
  BACKEND_API_KEY
      Its server-side key. Without one, the key of the caller is sent.
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
