import ipaddr from 'ipaddr.js';

/** Public addresses that are services of a cloud provider's own network. */
const cloudAddresses = new Set(['168.63.129.16']);

/** A longer name cannot be resolved (RFC 1035 §2.3.4). A dot at the end is not counted. */
const maxHostLength = 254;

/** Names that never mean a machine of the open internet. */
const localNames =
  /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|home\.arpa|onion|test|invalid)$/i;

/**
 * Whether an IP address belongs to the open internet. This machine and its network do not, nor do
 * reserved addresses, services of a cloud provider, and addresses that wrap another one (mapped,
 * translated, tunnelled).
 */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%') || !ipaddr.isValid(address) || cloudAddresses.has(address)) return false;
  const parsed = ipaddr.parse(address);
  // Only 2000::/3 is assigned to the open internet (RFC 4291 §2.4). ::7f00:1 and the like are
  // outside.
  if (parsed.kind() === 'ipv6' && ((parsed.toByteArray()[0] ?? 0) & 0xe0) !== 0x20) return false;
  // The address of a tunnel that ends in an IPv4 address (ISATAP, RFC 5214 §6.1).
  if (parsed.kind() === 'ipv6' && /:0?(?:200)?:?5efe:/i.test(parsed.toNormalizedString())) return false;
  return parsed.range() === 'unicast';
}

/**
 * Whether the host of a parsed URL may be public: a public address, or a name that is not a local
 * one. The addresses that a name resolves to must still be checked.
 */
export function mayBePublicHost(hostname: string): boolean {
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (literal.length > maxHostLength) return false;
  if (ipaddr.isValid(literal)) return isPublicAddress(literal);
  const name = literal.endsWith('.') ? literal.slice(0, -1) : literal;
  if (name.endsWith('.')) return false;
  return name.includes('.') && !localNames.test(name) && !/^[\d.]+$/.test(name);
}
