import type { Log } from '../ports/log.ts';
import type { RequestRecord, Sink } from './record.ts';

/** Hands each record to every sink. A sink that throws is logged once and skipped from then on. */
export function createRecorder(sinks: readonly Sink[], log: Log): (record: RequestRecord) => void {
  let working = sinks;
  return (record) => {
    for (const sink of working) {
      try {
        sink.record(record);
      } catch (error) {
        working = working.filter((other) => other !== sink);
        log('error', `the ${sink.name} sink failed and is switched off`, { error: String(error) });
      }
    }
  };
}
