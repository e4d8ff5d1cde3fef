import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '../test/process.ts';

/**
 * The cost of storing and serving. Storing: 100 downloads of 10 MB at once, and the memory that the
 * gateway gains. Serving: CPU time for a stored picture, beside nginx with the same file, rounds
 * interleaved. Each figure is a median. `node bench/store.ts`
 */

const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** CPU seconds of a process and of its children that have not ended. */
function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) / ticks;
  }, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** An upstream that draws one picture of the given size in each conversation, and serves it. */
function drawingUpstream(bytes: number) {
  const chunk = Buffer.alloc(64 * 1024, 7);
  const head = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82]);
  let serial = 0;
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    if (url.startsWith('/picture/')) {
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': bytes });
      let left = bytes - head.length - 16;
      response.write(Buffer.concat([head, Buffer.from(url.padEnd(16).slice(-16))]));
      const more = (): void => {
        while (left > 0) {
          const piece = left < chunk.length ? chunk.subarray(0, left) : chunk;
          left -= piece.length;
          if (!response.write(piece)) return void response.once('drain', more);
        }
        response.end();
      };
      return more();
    }
    if (url.endsWith('/download')) {
      const { port } = server.address() as AddressInfo;
      response.setHeader('content-type', 'application/json');
      return response.end(
        JSON.stringify({ status: 'success', download_url: `http://127.0.0.1:${port}/picture/${serial++}` }),
      );
    }
    if (url.endsWith('/conversation')) {
      const part = {
        content_type: 'image_asset_pointer',
        asset_pointer: `file-service://file-${serial}`,
        metadata: {},
      };
      const event = (message: unknown) =>
        `data: ${JSON.stringify({ message, conversation_id: 'c1', error: null })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return response.end(
        event({
          id: 't',
          author: { role: 'tool', name: 'dalle.text2im' },
          status: 'finished_successfully',
          content: { content_type: 'multimodal_text', parts: [part] },
          recipient: 'all',
        }) +
          event({
            id: 'a',
            author: { role: 'assistant' },
            status: 'finished_successfully',
            end_turn: true,
            recipient: 'all',
            content: { content_type: 'text', parts: ['Done.'] },
            metadata: { finish_details: { type: 'stop' } },
          }) +
          'data: [DONE]\n\n',
      );
    }
    response.setHeader('content-type', 'application/json');
    response.end('{"success":true}');
  });
  return new Promise<{ url: string; stop(): void }>((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        stop: () => void server.close().closeAllConnections(),
      }),
    ),
  );
}

async function draw(url: string): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'x' }] }),
  });
  const text = await answer.text();
  const link = /\((http[^)]+)\)/.exec(text)?.[1];
  if (!link) throw new Error(text.slice(0, 500));
  return link;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Fetches a link many times, eight at once. */
async function load(link: string, times: number): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      await new Promise<void>((resolve, reject) =>
        get(link, { agent }, (response) => {
          response.on('data', () => {});
          response.on('end', resolve);
          response.on('error', reject);
        }).on('error', reject),
      );
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function storing(): Promise<void> {
  const upstream = await drawingUpstream(10e6);
  const gateway = await startProcess({ BASE_URL: upstream.url, LOG_LEVEL: 'error' });
  const cold = gateway.rss();
  for (let i = 0; i < 5; i++) await draw(gateway.url);
  const before = gateway.rss();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, gateway.rss());
  }, 20);
  const cpu = cpuSeconds([gateway.child.pid ?? 0]);
  await Promise.all(Array.from({ length: 100 }, () => draw(gateway.url)));
  clearInterval(watch);
  const used = cpuSeconds([gateway.child.pid ?? 0]) - cpu;
  console.log(
    `store 100 × 10 MB at once: RSS ${(cold / 2 ** 20).toFixed(0)} → ${(before / 2 ** 20).toFixed(0)} MB, at its peak +${((peak - before) / 2 ** 20).toFixed(1)} MB, CPU ${((used * 1000) / 100).toFixed(0)} ms each`,
  );
  gateway.child.kill();
  upstream.stop();
}

async function serving(bytes: number, times: number): Promise<void> {
  const upstream = await drawingUpstream(bytes);
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const gateway = await startProcess({ BASE_URL: upstream.url, LOG_LEVEL: 'error', DATA_DIR: dataDir });
  const link = await draw(gateway.url);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  writeFileSync(join(folder, 'picture.png'), Buffer.from(await (await fetch(link)).arrayBuffer()));
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 256; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; include /etc/nginx/mime.types;
server { listen 127.0.0.1:18765; root ${folder}; } }`,
  );
  const nginx = spawn('/usr/sbin/nginx', ['-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const children = execFileSync('pgrep', ['-P', String(nginx.pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  const ours: number[] = [];
  const theirs: number[] = [];
  const measure = async (url: string, pids: readonly number[]): Promise<number> => {
    const before = cpuSeconds(pids);
    await load(url, times);
    return ((cpuSeconds(pids) - before) / times) * 1e6;
  };
  await load(link, times);
  for (let round = 0; round < 5; round++) {
    theirs.push(await measure('http://127.0.0.1:18765/picture.png', children));
    ours.push(await measure(link, [gateway.child.pid ?? 0]));
  }
  console.log(
    `serve ${bytes / 1000} kB: sluice ${median(ours).toFixed(0)} µs, nginx ${median(theirs).toFixed(0)} µs of CPU each: ${(median(ours) / median(theirs)).toFixed(1)}×`,
  );
  nginx.kill();
  gateway.child.kill();
  upstream.stop();
}

if (!existsSync('/usr/sbin/nginx')) {
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'nginx-light'], {
    stdio: 'ignore',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}
await storing();
await serving(100_000, 3000);
await serving(1_000_000, 1500);
await serving(3_000_000, 600);
agent.destroy();
