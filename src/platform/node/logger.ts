import { createRequire } from 'node:module';
import { pino } from 'pino';
import { redact } from '../../observe/redact.ts';
import type { Log, LogLevel } from '../../ports/log.ts';

type Sink = { write(line: string): unknown; isTTY?: boolean };

/**
 * Lines of JSON, or readable ones on a terminal; keys are taken out by value as they are written. What is logged in one turn of the loop is
 * written at once: a write for each line is a tenth of what a small request costs.
 */
export function createLogger(level: LogLevel, secrets: readonly string[], sink: Sink = process.stderr): Log {
  const target = sink.isTTY ? pretty(sink) : sink;
  let pending = '';
  const flush = (): void => {
    const lines = pending;
    pending = '';
    if (lines !== '') target.write(redact(lines, secrets));
  };
  process.once('exit', flush);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write(line: string) {
        if (pending === '') setImmediate(flush);
        pending += line;
      },
    },
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
  const each = (lines: string) => lines.match(/[^\n]*\n/g) ?? [];
  return {
    write: (lines) =>
      sink.write(
        each(lines)
          .map((line) => format(line))
          .join(''),
      ),
  };
}
