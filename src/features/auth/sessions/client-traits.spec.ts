import { describe, expect, it } from '@jest/globals';
import { clientTraits } from './client-traits.js';

const PHONE = { ip: '192.0.2.7', userAgent: 'Mortise/1.0' };
const originOf = (client: { ip: string | null; userAgent: string | null }): string =>
  clientTraits(client).origin.toString('hex');

describe('the traits of a client that refreshes', () => {
  it('are its known device, and address and user agent together', () => {
    expect(clientTraits(PHONE).deviceHash).toBeNull();
    expect(clientTraits({ ...PHONE, knownDevice: 'k' }).deviceHash).toHaveLength(32);
    expect(originOf(PHONE)).toBe(originOf({ ...PHONE }));
    const others = [
      { ...PHONE, ip: '192.0.2.8' },
      { ...PHONE, userAgent: 'Mortise/1.1' },
      { ...PHONE, userAgent: null },
      { ...PHONE, ip: null },
    ];
    expect(new Set([PHONE, ...others].map(originOf)).size).toBe(5);
  });

  it('hold an IPv6 address by its /64, whose rest changes by the hour', () => {
    const [one, same, other] = ['2001:db8:1:2::3', '2001:db8:1:2:a:b:c:d', '2001:db8:1:3::3'].map((ip) =>
      originOf({ ...PHONE, ip }),
    );
    expect(one).toBe(same);
    expect(one).not.toBe(other);
  });
});
