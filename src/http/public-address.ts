import ipaddr from 'ipaddr.js';

/** Public by their number, and yet services of the machine's own cloud. */
const hosts = new Set(['168.63.129.16']);

/** Names that never mean a machine of the open internet. */
const localNames =
  /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|home\.arpa|onion|test|invalid)$/i;

/**
 * Whether an IP address is one of the open internet: not this machine, not its network, no address that only wraps another one (mapped,
 * translated, tunnelled), not reserved, not a cloud's own.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || hosts.has(address)) return false;
  const parsed = ipaddr.parse(address);
  // Only 2000::/3 is given out for the open internet (RFC 4291 §2.4); what wraps an IPv4 address, as ::7f00:1 does, is not in it.
  if (parsed.kind() === 'ipv6' && ((parsed.toByteArray()[0] ?? 0) & 0xe0) !== 0x20) return false;
  // A tunnel's address that ends in an IPv4 one (ISATAP, RFC 5214 §6.1).
  if (parsed.kind() === 'ipv6' && /:0?(?:200)?:?5efe:/i.test(parsed.toNormalizedString())) return false;
  return parsed.range() === 'unicast';
}

/**
 * Whether a host, as a parsed URL holds it, may be public: an address that is, or a name that is no local one. A name must still be
 * checked by what it resolves to.
 */
export function mayBePublicHost(hostname: string): boolean {
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (ipaddr.isValid(literal)) return isPublicAddress(literal);
  const name = literal.replace(/\.+$/, '');
  return name.includes('.') && !localNames.test(name) && !/^[\d.]+$/.test(name);
}
