import type { AddressInfo } from 'node:net';
import { createEmulator, type EmulatorOptions } from '../src/emulator/emulator.ts';
import { serveFetch } from '../src/platform/node/serve-fetch.ts';

/** The emulator as an upstream with its own port, and what it received. */
export type Emulated = {
  readonly url: string;
  readonly seen: string[];
  // biome-ignore lint/suspicious/noExplicitAny: payloads are looked into freely
  readonly payloads: any[];
  /** Headers of the uploads, lower case. */
  readonly uploads: { url: string; headers: Headers; bytes: Uint8Array }[];
  stop(): void;
};

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulated> {
  const emulator = createEmulator(options);
  const seen: string[] = [];
  const payloads: unknown[] = [];
  const uploads: Emulated['uploads'] = [];
  const server = serveFetch(async (request) => {
    const { pathname } = new URL(request.url);
    seen.push(`${request.method} ${pathname}`);
    if (/\/backend-api\/(conversation|files)$/.test(pathname) && request.method === 'POST')
      payloads.push(await request.clone().json());
    if (request.method === 'PUT')
      uploads.push({
        url: request.url,
        headers: request.headers,
        bytes: new Uint8Array(await request.clone().arrayBuffer()),
      });
    return emulator.fetch(request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    payloads,
    uploads,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
