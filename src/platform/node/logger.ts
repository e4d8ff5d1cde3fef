import { pino } from 'pino';
import { redact } from '../../observe/redact.ts';
import type { Log, LogLevel } from '../../ports/log.ts';
import { readableLine } from './log-line.ts';

type Sink = { write(line: string): unknown; isTTY?: boolean };

/**
 * Lines of JSON, or readable lines on a terminal. Keys are removed by value when a line is written.
 * The lines of one turn of the event loop are written together: one write per line is a tenth of
 * the cost of a small request.
 */
export function createLogger(level: LogLevel, secrets: readonly string[], sink: Sink = process.stderr): Log {
  let pending = '';
  const flush = (): void => {
    const lines = pending;
    pending = '';
    if (lines === '') return;
    const text = redact(lines, secrets);
    sink.write(sink.isTTY ? readable(text) : text);
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

function readable(lines: string): string {
  return (lines.match(/[^\n]*\n/g) ?? []).map(readableLine).join('');
}
