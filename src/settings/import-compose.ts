import { placeholder } from './import-names.ts';
import type { Environment, Found, KeepKnown, Tree } from './import-types.ts';

/** The port that the older gateways listen on inside their container. */
const innerPort = 33_333;

type Published = { readonly host: string | undefined; readonly port: number; readonly target: number };

/**
 * Reads a compose file: the environment of its services, and the port under which clients reach the
 * gateway.
 */
export function readCompose(document: unknown, name: string, notes: string[], keep: KeepKnown): Found | null {
  const { services } = (document ?? {}) as { services?: Record<string, Tree> };
  const environment: Environment = {};
  let own: Published | undefined;
  const others: Published[] = [];
  for (const service of Object.values(services ?? {})) {
    const known = keep(environmentOf(service.environment), name, notes);
    Object.assign(environment, known);
    for (const port of portsOf(service.ports, name, notes)) {
      if (port.target === innerPort) own = port;
      else others.push(port);
    }
  }
  if (own === undefined && Object.keys(environment).length === 0) return null;
  const isLocal = own?.host !== undefined && /^(127\.|localhost$|\[?::1)/.test(own.host);
  if (own) {
    notes.push(`${name}: the port that clients use, ${own.port}, is kept.`);
    moveUploader(environment, own, others, name, notes);
  }
  return {
    environment,
    values: own === undefined ? {} : { port: own.port, host: isLocal ? '127.0.0.1' : '0.0.0.0' },
  };
}

/**
 * PandoraToV1Api had a second container that served the pictures, at `UPLOAD_BASE_URL`. The gateway
 * serves them itself, so the address must have the port of the gateway.
 */
function moveUploader(
  environment: Environment,
  own: Published,
  others: readonly Published[],
  name: string,
  notes: string[],
): void {
  const url = URL.parse(environment.UPLOAD_BASE_URL ?? '');
  if (!url || placeholder.test(url.href) || url.port === '' || Number(url.port) === own.port) return;
  if (others.some(({ port }) => port === Number(url.port)) || isAddress(url.hostname)) {
    const old = url.port;
    url.port = String(own.port);
    environment.UPLOAD_BASE_URL = url.origin;
    notes.push(
      `${name}: UPLOAD_BASE_URL led to the uploader on port ${old}. The gateway serves the pictures itself, so it is ${url.origin} now.`,
    );
  } else
    notes.push(
      `${name}: UPLOAD_BASE_URL is ${url.origin}. Make sure that this address leads to the gateway: it serves the pictures itself.`,
    );
}

function isAddress(hostname: string): boolean {
  return hostname === 'localhost' || /^(\d+\.){3}\d+$/.test(hostname) || hostname.startsWith('[');
}

/** Compose writes ports as `[HOST:]PORT:TARGET[/tcp]`, or as an object. */
function portsOf(ports: unknown, name: string, notes: string[]): Published[] {
  return (Array.isArray(ports) ? ports : []).flatMap((entry: unknown) => {
    if (typeof entry === 'object' && entry !== null) {
      const { target, published, host_ip: host } = entry as Tree;
      return published === undefined
        ? []
        : [
            {
              host: host === undefined ? undefined : String(host),
              port: Number(published),
              target: Number(target),
            },
          ];
    }
    const match = /^(?:(.+):)?(\d+):(\d+)(?:\/tcp)?$/.exec(String(entry));
    if (match) return [{ host: match[1], port: Number(match[2]), target: Number(match[3]) }];
    if (/(^|:)33333(\/|$)/.test(String(entry)))
      notes.push(`${name}: the port ${String(entry)} could not be read. Set PORT and HOST yourself.`);
    return [];
  });
}

/**
 * Compose writes an environment as a list of `NAME=value`, or as a map. `${NAME}` stands for
 * another variable.
 */
function environmentOf(environment: unknown): Environment {
  const entries = Array.isArray(environment)
    ? environment.map((line) => {
        const text = String(line);
        const at = text.indexOf('=');
        return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
      })
    : Object.entries((environment ?? {}) as Tree);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const text = String(value ?? '');
      return [name, composeValue(text)];
    }),
  );
}

/**
 * A value of a compose file: `${NAME}` is the environment's, `${NAME:-x}` and `${NAME-x}` are x.
 */
function composeValue(text: string): string {
  if (!text.startsWith('${') || text.indexOf('}') !== text.length - 1) return text;
  const inner = text.slice(2, -1);
  const variable = /^\w+/.exec(inner)?.[0];
  if (variable === undefined) return text;
  const rest = inner.slice(variable.length);
  return /^:?-/.test(rest) ? rest.replace(/^:?-/, '') : `env:${variable}`;
}
