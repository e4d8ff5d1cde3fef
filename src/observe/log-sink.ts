import type { Log, LogLevel } from '../ports/log.ts';
import type { RequestRecord, Sink } from './record.ts';

/** Writes one log line for each request. */
export function createLogSink(log: Log): Sink {
  return { name: 'log', record: (record) => log(levelOf(record), 'request', record) };
}

function levelOf({ status, endedBy }: RequestRecord): LogLevel {
  return status >= 500 || endedBy === 'upstream' || endedBy === 'timeout' ? 'warn' : 'info';
}
