import { createRequire } from 'node:module';
import { pino } from 'pino';
import { redact } from '../../redact.ts';
import type { LogLevel, Platform } from '../platform.ts';

type Sink = { write(line: string): unknown; isTTY?: boolean };

/** Lines of JSON, or readable ones on a terminal; keys are taken out by value as each line is written. */
export function createLogger(
  level: LogLevel,
  secrets: readonly string[],
  sink: Sink = process.stderr,
): Platform['log'] {
  const target = sink.isTTY ? pretty(sink) : sink;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void target.write(redact(line, secrets)) },
  );
  return (at, message, facts) => logger[at](facts ?? {}, message);
}

/** Loaded only where someone looks: it is no part of a server's start. */
function pretty(sink: Sink): Sink {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const format = prettyFactory({
    colorize: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
    singleLine: true,
  });
  return { write: (line) => sink.write(format(line)) };
}
