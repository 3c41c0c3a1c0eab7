import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { leastProcessorMs } from '../../../test/support/processor-time.js';
import { clientAddressReader, ipKey, networkKey, parseAddress } from './client-address.js';

describe('parseAddress', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    [' 192.0.2.7\t', '192.0.2.7'],
    ['192.0.2.7:50001', '192.0.2.7'],
    ['192.0.2.7:_hidden', '192.0.2.7'],
    ['"192.0.2.7:50001"', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:0207', '192.0.2.7'],
    ['[::ffff:192.0.2.7]:443', '192.0.2.7'],
    ['2001:DB8:0:0::0001', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['"[2001:DB8::1]:443"', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:443', 'fe80::1'],
    ['::1', '::1'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['[64:FF9B:0::C000:0207]:443', '192.0.2.7'],
    ['::ffff:0:192.0.2.7', '192.0.2.7'],
    ['::ffff:0:c000:207%eth0', '192.0.2.7'],
    ['64:ff9b::1:c000:207', '64:ff9b::1:c000:207'],
    ['64:ff9b:1::c000:207', '64:ff9b:1::c000:207'],
    ['::c000:207', '::192.0.2.7'],
  ])('reads %s as %s', (text, address) => {
    expect(parseAddress(text)).toBe(address);
  });

  it.each([
    '',
    'unknown',
    '_gazonk',
    'example.com',
    '192.0.2',
    '192.0.2.256',
    '010.0.0.1',
    '192.0.2.7/24',
    '2001:db8::1::2',
    '[192.0.2.7',
    '2001:db8::1]:443',
    "'; DROP TABLE users",
  ])('takes %p for no address', (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe('networkKey', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::1', '::1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['unknown', 'unknown'],
  ])('counts %s as %s', (ip, key) => {
    expect([networkKey(ip), ipKey({ ip })]).toEqual([key, key]);
  });
});

describe('The address of a client', () => {
  const PROXY = '10.0.0.1';

  function addressOf(
    forwardedHeader: 'x-forwarded-for' | 'forwarded',
    header: string | undefined,
    { peer = PROXY, other = '' }: { peer?: string | undefined; other?: string } = {},
  ): string {
    const otherHeader = forwardedHeader === 'forwarded' ? 'x-forwarded-for' : 'forwarded';
    const headers = { [forwardedHeader]: header, ...(other === '' ? {} : { [otherHeader]: other }) };
    const read = clientAddressReader({ trustedProxies: ['10.0.0.0/8', 'fd00::/8'], forwardedHeader });
    return read({ headers, socket: { remoteAddress: peer } } as unknown as IncomingMessage);
  }

  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['198.51.100.7:50001', '198.51.100.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['6.6.6.6, 198.51.100.7:50001, 10.9.9.9:443', '198.51.100.7'],
    ['6.6.6.6,198.51.100.7 ,::FFFF:10.9.9.9', '198.51.100.7'],
    ['10.1.1.1, 10.2.2.2', '10.1.1.1'],
    ['6.6.6.6, unknown', PROXY],
    ['6.6.6.6, unknown, 10.2.2.2:80', '10.2.2.2'],
    ['', PROXY],
    [undefined, PROXY],
  ])('is read from X-Forwarded-For: %p as %s', (header, address) => {
    expect(addressOf('x-forwarded-for', header, { other: 'for=6.6.6.6' })).toBe(address);
  });

  it.each([
    ['for=198.51.100.7', '198.51.100.7'],
    ['For="198.51.100.7:50001";proto=https', '198.51.100.7'],
    ['proto=https; for = "[2001:DB8::1]:443" ;by=10.0.0.1', '2001:db8::1'],
    ['for=6.6.6.6, for=198.51.100.7;by=10.0.0.1, for=10.9.9.9', '198.51.100.7'],
    ['for=6.6.6.6, for=_hidden', PROXY],
    ['for=6.6.6.6, proto=https', PROXY],
    ['for=6.6.6.6, host="a;for=6.6.6.6";for=198.51.100.7', '198.51.100.7'],
    ['for=6.6.6.6;x=", for=198.51.100.7', '198.51.100.7'],
    ['for=6.6.6.6;x=", for="[2001:db8::1]:443"', '2001:db8::1'],
    ['for=6.6.6.6, host="a\\",for=6.6.6.6;b";for=198.51.100.7', '198.51.100.7'],
    [undefined, PROXY],
  ])('is read from Forwarded where the proxies write that: %p as %s', (header, address) => {
    expect(addressOf('forwarded', header, { other: '6.6.6.6' })).toBe(address);
  });

  it.each([
    ['198.51.100.99', '198.51.100.99'],
    ['::ffff:198.51.100.99', '198.51.100.99'],
    ['fe80::1%eth0', 'fe80::1'],
    [undefined, 'unknown'],
  ])('is the peer itself when that is no trusted proxy: %p', (peer, address) => {
    const headers = { 'x-forwarded-for': '6.6.6.6', forwarded: 'for=6.6.6.6' };
    const read = clientAddressReader({ trustedProxies: ['10.0.0.0/8'], forwardedHeader: 'x-forwarded-for' });
    expect(read({ headers, socket: { remoteAddress: peer } } as unknown as IncomingMessage)).toBe(address);
  });

  it('is read through a proxy that speaks IPv4 inside of IPv6, or IPv6', () => {
    expect(addressOf('x-forwarded-for', '198.51.100.7', { peer: '::ffff:10.0.0.1' })).toBe('198.51.100.7');
    expect(addressOf('x-forwarded-for', '198.51.100.7', { peer: 'fd00::1' })).toBe('198.51.100.7');
  });

  it('is looked for in time that grows with the length of the header, not with its square', () => {
    const long = ['a'.repeat(100_000), `a${' '.repeat(100_000)}"${'\\"'.repeat(50_000)}`];
    const read = (): void => {
      expect(long.map((hop) => addressOf('forwarded', `for=198.51.100.7, ${hop}`))).toEqual([PROXY, PROXY]);
    };
    expect(leastProcessorMs(read)).toBeLessThan(1_000);
  });

  it('is not looked for in a list without end', () => {
    const hops = Array.from({ length: 4_000 }, () => '10.1.1.1');
    expect(addressOf('x-forwarded-for', ['6.6.6.6', ...hops].join(','))).toBe('10.1.1.1');
    expect(addressOf('forwarded', ['for=6.6.6.6', ...hops.map((hop) => `for=${hop}`)].join(','))).toBe('10.1.1.1');
  });
});
