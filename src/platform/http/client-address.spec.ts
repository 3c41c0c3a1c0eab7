import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { ipKey } from './client-address.js';

const keyOf = (ip: string, remoteAddress: string | undefined = '10.0.0.1'): string =>
  ipKey({ ip, socket: { remoteAddress } as FastifyRequest['socket'] });

describe('ipKey', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:0207', '192.0.2.7'],
    ['::1', '::1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
  ])('counts %s as %s', (ip, expected) => {
    expect(keyOf(ip)).toBe(expected);
  });

  it.each([['unknown'], ['192.0.2.7:443'], [''], ["'; DROP TABLE users"]])(
    'counts the proxy itself when it passes on %p, which is no address',
    (ip) => {
      expect(keyOf(ip)).toBe('10.0.0.1');
    },
  );

  it('has a word for a peer that is gone already', () => {
    expect(ipKey({ ip: '', socket: {} as FastifyRequest['socket'] })).toBe('unknown');
  });
});
