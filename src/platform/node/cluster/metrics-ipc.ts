import type { ChildProcess } from 'node:child_process';
import type { Counted } from '../metrics.ts';

/** Messages between processes: a child asks for all counts, and its parent asks each child. */
type Message =
  | { readonly counts: 'all?'; readonly request: number }
  | { readonly counts: 'all'; readonly request: number; readonly all: readonly Counted[] }
  | { readonly counts: 'yours?'; readonly request: number }
  | { readonly counts: 'mine'; readonly request: number; readonly mine: Counted };

/** If a process does not answer in this time, what it counted last is used: it may be ending. */
const timeoutMs = 2000;

/** The counts of ended processes are merged into one when there are more than so many. */
const maxEnded = 4;

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && 'counts' in value;

let requests = 0;

/** In a worker process: what all processes counted. */
export function askParentForCounts(): Promise<readonly Counted[]> {
  const request = ++requests;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      process.off('message', receive);
      reject(new Error('the parent process gave no counts'));
    }, timeoutMs * 2);
    const receive = (message: unknown): void => {
      if (!isMessage(message) || message.counts !== 'all' || message.request !== request) return;
      clearTimeout(timer);
      process.off('message', receive);
      resolve(message.all);
    };
    process.on('message', receive);
    process.send?.({ counts: 'all?', request } satisfies Message);
  });
}

/** In a worker process: sends its own counts whenever the parent asks. */
export function answerParent(own: () => Promise<Counted>): void {
  process.on('message', (message: unknown) => {
    if (!isMessage(message) || message.counts !== 'yours?') return;
    const { request } = message;
    void own().then((mine) => process.send?.({ counts: 'mine', request, mine } satisfies Message));
  });
}

/**
 * In the parent: answers the children's requests with what all of them counted. What a child
 * counted last stays when it ends, gauges apart: a counter that falls looks like a restart to
 * Prometheus.
 */
export function createCountsGatherer() {
  const last = new Map<ChildProcess, Counted | null>();
  let ended: readonly Counted[] = [];
  let isMerging = false;

  const merge = async (): Promise<void> => {
    if (isMerging || ended.length <= maxEnded) return;
    isMerging = true;
    try {
      const merged = ended;
      const { AggregatorRegistry } = await import('prom-client');
      const sum = await AggregatorRegistry.aggregate([...merged]).getMetricsAsJSON();
      ended = [sum, ...ended.slice(merged.length)];
    } finally {
      isMerging = false;
    }
  };

  const gather = async (): Promise<readonly Counted[]> => {
    await Promise.all(
      [...last.keys()].map(async (child) => {
        const counts = await countsOf(child);
        // One that ended meanwhile is among `ended`.
        if (counts && last.has(child)) last.set(child, counts);
      }),
    );
    return [...last.values(), ...ended].filter((counts) => counts !== null);
  };

  return {
    /** Counts a child from now on. */
    add(child: ChildProcess): void {
      last.set(child, null);
      child.on('message', (message: unknown) => {
        if (!isMessage(message) || message.counts !== 'all?') return;
        const { request } = message;
        void gather().then((all) => {
          if (child.connected) child.send({ counts: 'all', request, all } satisfies Message);
        });
      });
      child.once('exit', () => {
        const counts = last.get(child);
        last.delete(child);
        if (counts) ended = [...ended, counts.filter(isCumulative)];
        void merge();
      });
    },
  };
}

/** Whether a metric only grows. A gauge of a process that ended says nothing. */
function isCumulative({ type }: Counted[number]): boolean {
  return String(type) !== 'gauge';
}

let childRequests = 0;

function countsOf(child: ChildProcess): Promise<Counted | null> {
  const request = ++childRequests;
  return new Promise((resolve) => {
    const done = (counts: Counted | null): void => {
      clearTimeout(timer);
      child.off('message', receive);
      child.off('exit', leave);
      resolve(counts);
    };
    const leave = (): void => done(null);
    const timer = setTimeout(leave, timeoutMs);
    const receive = (message: unknown): void => {
      if (isMessage(message) && message.counts === 'mine' && message.request === request) done(message.mine);
    };
    child.on('message', receive);
    child.once('exit', leave);
    if (child.connected) child.send({ counts: 'yours?', request } satisfies Message);
    else done(null);
  });
}
