import { connect, type Socket } from 'node:net';

/** What to ask, and how: a closed loop of so many connections, each asking again as soon as it is answered; or so many streams held open. */
export type Job = {
  readonly port: number;
  readonly request: string;
  readonly connections: number;
  /** Requests in all; for `hold`, streams. */
  readonly count: number;
  readonly kind: 'json' | 'stream' | 'hold';
  /** For `hold`: how long they stay open, in milliseconds. */
  readonly holdMs?: number;
};

/** Milliseconds from the sending of a request to the first byte of its answer, and how many failed. */
export type Told = {
  readonly firstBytes: readonly number[];
  readonly wholeMs: number;
  readonly failed: number;
  readonly chunks: number;
};

const endOfChunks = Buffer.from('\r\n0\r\n\r\n');

async function loop(job: Job): Promise<Told> {
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
      const ask = (): void => {
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
      socket.on('connect', ask);
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
          ask();
        else if (expected < 0 && data.length < 7 && data.subarray(-5).toString() === '0\r\n\r\n') ask();
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

async function hold(job: Job): Promise<Told> {
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
    // As fast as they can be opened without a crowd at the door.
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
  const told = await (job.kind === 'hold' ? hold(job) : loop(job));
  process.send?.({ told });
});
process.on('disconnect', () => process.exit(0));
