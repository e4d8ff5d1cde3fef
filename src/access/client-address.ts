import ipaddr from 'ipaddr.js';
import { listItems } from '../http/header-list.ts';
import type { RawHeaders } from '../http/headers.ts';

type Address = ReturnType<typeof ipaddr.parse>;

/** Whether an address is one of the proxies in front of the gateway. */
export type IsTrustedProxy = (address: string) => boolean;

/** Proxies that are followed back from the gateway at most. */
const maxHops = 20;
/** A longer value is no address, with port and brackets (`[2001:db8::1%25eth0]:65535`). */
const maxAddressLength = 64;

const noProxy: IsTrustedProxy = () => false;

/**
 * Makes the test for `TRUSTED_PROXIES`: addresses, or networks as `10.0.0.0/8`. Entries must be
 * valid.
 */
export function trustedProxies(entries: readonly string[]): IsTrustedProxy {
  if (entries.length === 0) return noProxy;
  const networks = entries.map((entry) => {
    if (entry.includes('/')) return ipaddr.parseCIDR(entry);
    const address = ipaddr.process(entry);
    return [address, address.kind() === 'ipv6' ? 128 : 32] as [Address, number];
  });
  return (address) => {
    const parsed = parseAddress(address);
    return (
      parsed !== null &&
      networks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))
    );
  };
}

/**
 * The address of the client: the peer of the connection, or, if the peer is a trusted proxy, the
 * last address in `X-Forwarded-For` (else `Forwarded`) that is none. Anything left of that address
 * can be made up by the client. Null if the peer is not known.
 */
export function clientAddress(
  rawHeaders: RawHeaders,
  peer: string | undefined,
  isTrusted: IsTrustedProxy,
): string | null {
  // Without proxies the common case costs no parsing.
  if (isTrusted === noProxy) return peer?.replace('::ffff:', '') ?? null;
  const peerAddress = peer === undefined ? null : parseAddress(peer);
  if (peerAddress === null) return null;
  let client = peerAddress.toString();
  if (!isTrusted(client)) return client;
  const chain = forwardedFor(rawHeaders);
  for (let hop = 0; hop < maxHops && chain.length > 0; hop++) {
    const next = parseAddress(chain.pop() as string);
    // An unreadable entry ends what is known for sure.
    if (next === null) return client;
    client = next.toString();
    if (!isTrusted(client)) return client;
  }
  return client;
}

/**
 * Who forwarded the request for whom, the nearest last. Several headers are one list (RFC 9110
 * §5.3).
 */
function forwardedFor(rawHeaders: RawHeaders): string[] {
  const plain: string[] = [];
  const standard: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (name === 'x-forwarded-for') plain.push(...listItems(rawHeaders[i + 1] as string));
    else if (name === 'forwarded')
      for (const element of listItems(rawHeaders[i + 1] as string)) standard.push(forParameter(element));
  }
  return plain.length > 0 ? plain : standard;
}

/** The `for` parameter of one element of `Forwarded` (RFC 7239 §4); empty if it has none. */
function forParameter(element: string): string {
  for (const pair of element.split(';')) {
    const trimmed = pair.trim();
    if (trimmed.slice(0, 4).toLowerCase() !== 'for=') continue;
    const value = trimmed.slice(4).trim();
    return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return '';
}

/** Reads an address with or without a port. IPv4 addresses in IPv6 form become IPv4. */
function parseAddress(text: string): Address | null {
  if (text.length > maxAddressLength) return null;
  let address = text;
  const bracket = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  if (bracket) address = bracket[1] as string;
  else if (/^[\d.]+:\d{1,5}$/.test(text)) address = text.slice(0, text.indexOf(':'));
  if (address.includes(':') ? !ipaddr.IPv6.isValid(address) : !ipaddr.IPv4.isValidFourPartDecimal(address))
    return null;
  return ipaddr.process(address);
}
