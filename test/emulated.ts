import type { AddressInfo } from 'node:net';
import { createEmulator, type EmulatorOptions } from '../src/emulator/emulator.ts';
import { serveFetch } from '../src/platform/node/fetch-server.ts';

/** The emulator as an upstream of its own, and what it was asked. */
export type Emulated = { readonly url: string; readonly seen: string[]; stop(): void };

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulated> {
  const emulator = createEmulator(options);
  const seen: string[] = [];
  const server = serveFetch((request) => {
    seen.push(`${request.method} ${new URL(request.url).pathname}`);
    return emulator.fetch(request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
