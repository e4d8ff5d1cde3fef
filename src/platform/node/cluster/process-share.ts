import type { Settings } from '../../../settings/schema.ts';

/**
 * The settings of one of several processes: each gets its share of the limits that hold for the
 * whole gateway, rounded up. Together they exceed a limit by less than one for each process.
 */
export function shareOfProcess(settings: Settings): Settings {
  const share = (limit: number): number => Math.ceil(limit / settings.workers);
  const upstreams = Object.entries(settings.upstreams).map(([name, upstream]) => [
    name,
    { ...upstream, concurrency: share(upstream.concurrency), queue: share(upstream.queue) },
  ]);
  return {
    ...settings,
    maxConcurrent: share(settings.maxConcurrent),
    maxConcurrentPerCaller: share(settings.maxConcurrentPerCaller),
    upstreams: Object.fromEntries(upstreams) as Settings['upstreams'],
  };
}
