import type { Incoming } from './request.ts';

const host = /^(?:[a-z0-9_.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;

/**
 * What a link to this gateway begins with: the configured address, else the one this caller used, proxies in front considered. Without a
 * slash at the end.
 */
export function linkStem({ head, scheme }: Incoming, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, '');
  const first = (name: string) => head.get(name)?.split(',')[0]?.trim();
  const forwarded = first('x-forwarded-proto');
  const named = [first('x-forwarded-host'), head.get('host')].find((name) => name && host.test(name));
  return `${forwarded === 'https' || forwarded === 'http' ? forwarded : scheme}://${named ?? 'localhost'}`;
}
