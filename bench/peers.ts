import type { Start } from './peer.ts';
import { withKey } from './peer.ts';
import { startFile, startNginx, startPortkey, startSluice } from './start-node.ts';
import { startConverterInWorkerd, startP2vapi, startScript, startSluiceInWorkerd } from './start-workerd.ts';
import { passthrough, threeReadsThenPipe } from './worker-scripts.ts';

/** Gateways that turn conversations into completions. */
export const converters: readonly string[] = ['sluice-convert', 'sluice-convert-workerd', 'plain', 'p2vapi'];

/** Every gateway of the comparison, by its name on the command line. */
export const peers: Readonly<Record<string, Start>> = {
  nginx: startNginx,
  'node-http': (upstream) => startFile(upstream, 'bench/node-relay.ts', 'node:http and undici, 30 lines'),
  sluice: (upstream) => startSluice(1, 'sluice on Node', withKey(upstream)),
  'sluice-2': (upstream) => startSluice(2, 'sluice, 2 processes', withKey(upstream)),
  portkey: startPortkey,
  workerd: (upstream) => startScript(upstream, passthrough, 'workerd, ten lines'),
  'workerd-piped': (upstream) =>
    startScript(upstream, threeReadsThenPipe, 'workerd, three reads, then its pipe'),
  'sluice-workerd': (upstream) => startSluiceInWorkerd(upstream, 'sluice in workerd'),
  'sluice-workerd-unwatched': (upstream) =>
    startSluiceInWorkerd(upstream, 'sluice in workerd, streams unwatched', {
      KEEPALIVE_SECONDS: '0',
      IDLE_TIMEOUT: '0',
    }),
  plain: (upstream) => startFile(upstream, 'bench/plain.ts', 'JSON.parse of each event'),
  'sluice-convert': (upstream) =>
    startSluice(1, 'sluice, converting', {
      BASE_URL: `http://127.0.0.1:${upstream}`,
      PROXY_API_PREFIX: 'p',
    }),
  'sluice-convert-workerd': startConverterInWorkerd,
  p2vapi: startP2vapi,
};

/** The gateway that the ratio of each row is taken against. */
export const references: Readonly<Record<string, string>> = {
  sluice: 'node-http',
  'sluice-2': 'node-http',
  portkey: 'node-http',
  nginx: 'node-http',
  'sluice-workerd': 'workerd-piped',
  'sluice-workerd-unwatched': 'workerd-piped',
  workerd: 'workerd-piped',
  'sluice-convert': 'plain',
  'sluice-convert-workerd': 'plain',
  p2vapi: 'plain',
};
