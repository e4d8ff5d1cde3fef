import { parseArgs } from 'node:util';
import { check } from './check.ts';
import { help, version } from './help.ts';
import { schema } from './schema.ts';

const commands = ['start', 'check', 'import', 'doctor', 'schema', 'help'];

/** Commands that take something beside options, and what it is. */
const takes: Readonly<Record<string, string>> = { import: 'FOLDER', doctor: 'URL' };

/** Runs a command of `sluice`; gives the exit code, or null where the process goes on. */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number | null> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    process.stderr.write(
      `sluice: ${(error as Error).message.split('. ')[0]}. sluice --help lists the options.\n`,
    );
    return 2;
  }
  const { values, positionals } = parsed;
  const [command = 'start', ...rest] = positionals;
  if (values.version) return print(`${await version()}\n`);
  if (values.help || command === 'help') return print(help());
  if (!commands.includes(command)) {
    const near = commands.find((name) => name.startsWith(command.slice(0, 2)));
    process.stderr.write(
      `sluice: there is no command "${command}". ${near ? `Did you mean "${near}"?` : 'sluice --help lists them.'}\n`,
    );
    return 2;
  }
  if (rest.length > (takes[command] ? 1 : 0)) {
    process.stderr.write(
      `sluice: ${command} takes ${takes[command] ? `one ${takes[command]}` : 'no argument'}. Name a settings file with --config FILE.\n`,
    );
    return 2;
  }
  const [argument] = rest;
  if (command === 'import') {
    if (argument === undefined) {
      process.stderr.write('sluice: name the folder of the older project: sluice import FOLDER\n');
      return 2;
    }
    const { importFrom } = await import('./import.ts');
    const { text, ok } = await importFrom(argument, values.out ?? 'sluice.json', env);
    (ok ? process.stdout : process.stderr).write(text);
    return ok ? 0 : 1;
  }
  if (command === 'doctor') {
    const { doctor } = await import('./doctor.ts');
    const options = {
      url: argument ?? `http://127.0.0.1:${env.PORT || 8080}/v1`,
      key: values.key ?? env.SLUICE_KEY,
      origin: values.origin ?? 'https://chat.example',
      silenceSeconds: values.idle ? 65 : 0,
      language: /^zh/i.test(env.LC_ALL || env.LC_MESSAGES || env.LANG || '')
        ? ('zh' as const)
        : ('en' as const),
    };
    return (await doctor(options, (text) => process.stdout.write(text))) ? 0 : 1;
  }
  if (command === 'schema') return print(await schema());
  if (command === 'check') {
    const { text, ok } = await check(env, values.config);
    print(text);
    return ok ? 0 : 1;
  }
  const { start } = await import('../node.ts');
  await start(env, { configPath: values.config });
  return null;
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string', short: 'c' },
      out: { type: 'string', short: 'o' },
      key: { type: 'string', short: 'k' },
      origin: { type: 'string' },
      idle: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
