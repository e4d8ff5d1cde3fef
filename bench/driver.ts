import { connect, type Socket } from 'node:net';

/**
 * A load. `json` and `stream` are closed loops: each connection sends its next request when the
 * response is complete. `hold` opens streams and keeps them open.
 */
export type Job = {
  readonly port: number;
  readonly request: string;
  readonly connections: number;
  /** Number of requests. For `hold`: number of streams. */
  readonly count: number;
  readonly kind: 'json' | 'stream' | 'hold';
  /** For `hold`: how long the streams stay open, in milliseconds. */
  readonly holdMs?: number;
};

/** What came of a load. */
export type Result = {
  /** Milliseconds from a request to the first byte of its response. */
  readonly firstBytes: readonly number[];
  readonly wholeMs: number;
  readonly failed: number;
  readonly chunks: number;
};

const endOfChunks = Buffer.from('\r\n0\r\n\r\n');

async function loop(job: Job): Promise<Result> {
  const firstBytes: number[] = [];
  let left = job.count;
  let failed = 0;
  const chunks = 0;
  const began = performance.now();
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true });
      let sentAt = 0;
      let waiting = false;
      let expected = -1;
      let got = 0;
      const send = (): void => {
        if (left-- <= 0) {
          socket.destroy();
          return resolve();
        }
        waiting = true;
        expected = -1;
        got = 0;
        sentAt = performance.now();
        socket.write(job.request);
      };
      socket.on('connect', send);
      socket.on('data', (data: Buffer) => {
        if (waiting) {
          waiting = false;
          firstBytes.push(performance.now() - sentAt);
          const head = data.indexOf('\r\n\r\n');
          const length = /content-length: (\d+)/i.exec(data.toString('latin1', 0, Math.max(head, 0)))?.[1];
          if (data.toString('latin1', 9, 12) !== '200') failed++;
          expected = length === undefined ? -1 : head + 4 + Number(length);
        }
        got += data.length;
        if (expected >= 0 ? got >= expected : data.length >= 7 && data.subarray(-7).equals(endOfChunks))
          send();
        else if (expected < 0 && data.length < 7 && data.subarray(-5).toString() === '0\r\n\r\n') send();
      });
      socket.on('error', () => {
        failed++;
        resolve();
      });
      socket.on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: job.connections }, one));
  return { firstBytes, wholeMs: performance.now() - began, failed, chunks };
}

async function hold(job: Job): Promise<Result> {
  const firstBytes: number[] = [];
  const sockets: Socket[] = [];
  let failed = 0;
  let chunks = 0;
  const began = performance.now();
  for (let i = 0; i < job.count; i++) {
    const socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true });
    sockets.push(socket);
    let first = true;
    let sentAt = 0;
    socket.on('connect', () => {
      sentAt = performance.now();
      socket.write(job.request);
    });
    socket.on('data', () => {
      chunks++;
      if (!first) return;
      first = false;
      firstBytes.push(performance.now() - sentAt);
    });
    socket.on('error', () => failed++);
    // Pauses after 20, so that the listen queue does not overflow.
    if (i % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  process.send?.({ opened: true });
  await new Promise((resolve) => setTimeout(resolve, job.holdMs ?? 1000));
  for (const socket of sockets) socket.destroy();
  return {
    firstBytes,
    wholeMs: performance.now() - began,
    failed: failed + (job.count - firstBytes.length),
    chunks,
  };
}

process.on('message', async (job: Job) => {
  const result = await (job.kind === 'hold' ? hold(job) : loop(job));
  process.send?.({ result });
});
process.on('disconnect', () => process.exit(0));
