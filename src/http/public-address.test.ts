import { describe, expect, test } from 'vitest';
import { isPublicAddress, mayBePublicHost } from './public-address.ts';

describe('an address', () => {
  test.each(['8.8.8.8', '1.1.1.1', '93.184.215.14', '2606:4700::1111', '2a00:1450:4001:81b::200e'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.100.100.200',
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
    '::',
    '::1',
    '::127.0.0.1',
    '::7f00:1',
    '::2',
    '4000::1',
    '1000::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001::1',
    'fe80::1',
    'fec0::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '100::1',
    '2001:db8::1',
    'fe80::5efe:127.0.0.1',
    '2600::5efe:7f00:1',
    '2606:4700::1111%eth0',
    '2600::200:5efe:7f00:1',
    'not an address',
    '',
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('a host', () => {
  test.each([
    'example.com',
    'files.oaiusercontent.com.',
    '8.8.8.8',
    '[2606:4700::1111]',
    'xn--bcher-kva.example',
  ])('%s may be public', (host) => {
    expect(mayBePublicHost(host)).toBe(true);
  });

  test.each([
    'localhost',
    'localhost.',
    'a.localhost',
    'LOCALHOST',
    'printer.local',
    'metadata.google.internal',
    'router.lan',
    'nas.home.arpa',
    'intranet',
    'redis',
    '127.0.0.1',
    '[::1]',
    '127.1',
    '2130706433',
    '',
    '.',
    'example.com..',
    `${'a.'.repeat(200)}com`,
    `x${'.'.repeat(8000)}x.com`,
  ])('%s may not', (host) => {
    expect(mayBePublicHost(host)).toBe(false);
  });
});
