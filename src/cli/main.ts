import { parseArgs } from 'node:util';

const commands = ['start', 'check', 'import', 'doctor', 'schema', 'help'];

/** Commands with an argument, and what it is. */
const takes: Readonly<Record<string, string>> = { import: 'FOLDER', doctor: 'URL' };

/** Runs a command of `sluice`. Returns the exit code, or null if the process goes on. */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number | null> {
  endQuietlyOnClosedPipe();
  let parsed: Parsed;
  try {
    parsed = parse(args);
  } catch (error) {
    const reason = (error as Error).message.split('. ')[0];
    return failed(`${reason}. "sluice --help" lists the options.`);
  }
  const { values, positionals } = parsed;
  const [command = 'start', ...rest] = positionals;
  if (values.version) return print(`${await (await import('./help.ts')).version()}\n`);
  if (values.help || command === 'help') return print((await import('./help.ts')).help());
  if (!commands.includes(command)) {
    const near = commands.find((name) => name.startsWith(command.slice(0, 2)));
    const advice = near ? `Did you mean "${near}"?` : '"sluice --help" lists the commands.';
    return failed(`there is no command "${command}". ${advice}`);
  }
  if (rest.length > (takes[command] ? 1 : 0)) {
    const expected = takes[command] ? `one ${takes[command]}` : 'no argument';
    return failed(`${command} takes ${expected}. Name a settings file with --config FILE.`);
  }
  return run(command, rest[0], values, env);
}

type Parsed = ReturnType<typeof parse>;

async function run(
  command: string,
  argument: string | undefined,
  values: Parsed['values'],
  processEnv: NodeJS.ProcessEnv,
): Promise<number | null> {
  const env: NodeJS.ProcessEnv = {
    ...processEnv,
    ...(values.port === undefined ? {} : { PORT: values.port }),
    ...(values.host === undefined ? {} : { HOST: values.host }),
  };
  if (command === 'import') {
    if (argument === undefined) return failed('name the folder of the older project: sluice import FOLDER');
    const { importFrom } = await import('./import.ts');
    return result(await importFrom(argument, values.out ?? 'sluice.json', env));
  }
  if (command === 'doctor') {
    const { doctor } = await import('./doctor.ts');
    const options = {
      url: argument ?? `http://127.0.0.1:${env.PORT || 8080}/v1`,
      key: values.key ?? env.SLUICE_KEY,
      origin: values.origin,
      silenceSeconds: values.idle ? 65 : 0,
      language: languageOf(env),
    };
    return (await doctor(options, (text) => process.stdout.write(text))) ? 0 : 1;
  }
  if (command === 'schema') return print(await (await import('./schema.ts')).schema());
  if (command === 'check') {
    const { check } = await import('./check.ts');
    const { text, ok } = await check(env, { configPath: values.config, offline: values.offline });
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
      host: { type: 'string' },
      port: { type: 'string', short: 'p' },
      out: { type: 'string', short: 'o' },
      key: { type: 'string', short: 'k' },
      origin: { type: 'string' },
      idle: { type: 'boolean' },
      offline: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
}

function languageOf(env: NodeJS.ProcessEnv): 'en' | 'zh' {
  return /^zh/i.test(env.LC_ALL || env.LC_MESSAGES || env.LANG || '') ? 'zh' : 'en';
}

/** A reader that has enough, such as `head`, closes the pipe. That is no error. */
function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function result({ text, ok }: { text: string; ok: boolean }): number {
  (ok ? process.stdout : process.stderr).write(text);
  return ok ? 0 : 1;
}

function failed(text: string): number {
  process.stderr.write(`sluice: ${text}\n`);
  return 2;
}
