import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientAddress, trustedProxies } from './client-address.ts';

const trusted = trustedProxies(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
const from = (peer: string | undefined, ...headers: string[]) => clientAddress(headers, peer, trusted);

describe('the address of the client', () => {
  test.each([
    ['without a proxy', '203.0.113.9', [], '203.0.113.9'],
    [
      'from a stranger who claims to be a proxy',
      '203.0.113.9',
      ['X-Forwarded-For', '1.2.3.4'],
      '203.0.113.9',
    ],
    ['behind a proxy', '127.0.0.1', ['X-Forwarded-For', '203.0.113.9'], '203.0.113.9'],
    ['behind two proxies', '127.0.0.1', ['x-forwarded-for', '203.0.113.9, 10.1.2.3'], '203.0.113.9'],
    [
      'is not what the client made up',
      '127.0.0.1',
      ['x-forwarded-for', '1.1.1.1, 203.0.113.9'],
      '203.0.113.9',
    ],
    [
      'several headers are one list',
      '127.0.0.1',
      ['x-forwarded-for', '1.1.1.1', 'x-forwarded-for', '203.0.113.9'],
      '203.0.113.9',
    ],
    ['of the proxy itself', '127.0.0.1', [], '127.0.0.1'],
    ['of a request that a proxy makes', '127.0.0.1', ['x-forwarded-for', '10.1.2.3'], '10.1.2.3'],
    ['with a port', '127.0.0.1', ['x-forwarded-for', '203.0.113.9:51234'], '203.0.113.9'],
    ['in IPv6', 'fd00::1', ['x-forwarded-for', '2001:db8::7'], '2001:db8::7'],
    ['in IPv6 with a port', '::ffff:127.0.0.1', ['x-forwarded-for', '[2001:db8::7]:1'], '2001:db8::7'],
    ['in Forwarded', '127.0.0.1', ['Forwarded', 'for=203.0.113.9;proto=https'], '203.0.113.9'],
    ['quoted in Forwarded', '127.0.0.1', ['Forwarded', 'proto=https; For="[2001:db8::7]:1"'], '2001:db8::7'],
    ['after an unreadable entry', '127.0.0.1', ['x-forwarded-for', '1.2.3.4, unknown'], '127.0.0.1'],
    ['after an obfuscated one', '127.0.0.1', ['Forwarded', 'for=_hidden'], '127.0.0.1'],
    ['never an octal one', '127.0.0.1', ['x-forwarded-for', '0177.0.0.1'], '127.0.0.1'],
    ['never from CF-Connecting-IP', '127.0.0.1', ['cf-connecting-ip', '1.2.3.4'], '127.0.0.1'],
    ['never from X-Real-IP', '127.0.0.1', ['x-real-ip', '1.2.3.4'], '127.0.0.1'],
  ] as const)('%s', (_, peer, headers, expected) => {
    expect(from(peer, ...headers)).toBe(expected);
  });

  test('is not known without a peer', () => {
    expect(from(undefined, 'x-forwarded-for', '1.2.3.4')).toBe(null);
  });

  test('is an address, whatever the headers say', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (plain, standard) => {
        expect(from('127.0.0.1', 'x-forwarded-for', plain, 'forwarded', standard)).toMatch(/^[\d.:a-f]+$/);
      }),
    );
  });
});
