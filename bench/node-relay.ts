import { createServer } from 'node:http';
import { Pool } from 'undici';

/**
 * The plainest relay on Node: `node:http` in, undici's `dispatch` out, with backpressure.
 * No keys, no errors, no timers, no log. `node bench/node-relay.ts UPSTREAM_PORT PORT`
 */
const [upstream, port] = process.argv.slice(2).map(Number) as [number, number];
const pool = new Pool(`http://127.0.0.1:${upstream}`, { connections: 512, pipelining: 1 });

createServer((request, response) => {
  const headers = { ...request.headers };
  delete headers.connection;
  const options = { path: request.url ?? '/', method: request.method ?? 'GET', headers, body: request };
  pool.dispatch(options as Parameters<Pool['dispatch']>[0], {
    onRequestStart() {},
    onResponseStart(_, status, head) {
      response.writeHead(status, head as Record<string, string>);
    },
    onResponseData(controller, chunk) {
      if (response.write(chunk)) return;
      controller.pause();
      response.once('drain', () => controller.resume());
    },
    onResponseEnd: () => void response.end(),
    onResponseError: () => void response.destroy(),
  });
}).listen(port, '127.0.0.1', 4096);
