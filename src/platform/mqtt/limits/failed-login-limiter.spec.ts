import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../../config/app-config.js';
import type { Clock } from '../../../shared/clock.js';
import { FailedLoginLimiter, type LoginAttempt } from './failed-login-limiter.js';

const HOUSE = '192.0.2.7';
const PROXY = '10.0.0.1';
/** Looked at beyond the limit of an address at once. */
const BEYOND = 20;

let nowMs: number;
let limiter: FailedLoginLimiter;

beforeEach(() => {
  nowMs = 0;
  const config = { http: { trustedProxies: ['10.0.0.0/8'] }, rateLimitScale: 1 } as unknown as AppConfig;
  limiter = new FailedLoginLimiter(config, { monotonic: () => nowMs } as Clock);
});

function attemptOf(deviceId: string, { address = HOUSE, token = 'wrong' } = {}): LoginAttempt {
  return { address, deviceId, token: Buffer.from(token) };
}

/** @returns how many of them were looked at. */
function fail(times: number, attempt: (time: number) => LoginAttempt): number {
  let looked = 0;
  for (let time = 0; time < times; time += 1) {
    if (!limiter.isRefused(attempt(time))) {
      looked += 1;
      limiter.failed(attempt(time));
    }
  }
  return looked;
}

describe('FailedLoginLimiter', () => {
  it('bounds the failed logins of an address, under however many names, for a while', () => {
    expect(fail(3_000, (time) => attemptOf(`device ${String(time)}`))).toBe(60 + BEYOND);
    expect(limiter.isRefused(attemptOf('another'))).toBe(true);
    expect(limiter.isRefused(attemptOf('another', { address: '192.0.2.8' }))).toBe(false);
    nowMs = 64_000;
    expect(limiter.isRefused(attemptOf('another'))).toBe(false);
  });

  it('looks at some devices that it does not know yet, such as after a restart, whatever fails at their address', () => {
    fail(60, (time) => attemptOf(`stranger ${String(time)}`));
    fail(5, () => attemptOf('broken'));
    const looked = Array.from({ length: 3 }, () => {
      nowMs += 1_000;
      return [limiter.isRefused(attemptOf('broken')), limiter.isRefused(attemptOf('front door'))];
    });
    expect(looked).toEqual(Array.from({ length: 3 }, () => [true, false]));
  });

  it('lets one broken device take little of what its neighbours have', () => {
    expect(fail(1_000, () => attemptOf('broken'))).toBe(5);
    expect(fail(1_000, (time) => attemptOf(`device ${String(time)}`))).toBe(55 + BEYOND);
  });

  it('always looks at credentials that were good, until they are no more', () => {
    const good = attemptOf('front door', { token: 'right' });
    limiter.succeeded(good);
    fail(1_000, (time) => attemptOf(`device ${String(time)}`));
    fail(1_000, () => attemptOf('front door'));
    expect(limiter.isRefused(good)).toBe(false);
    expect(limiter.isRefused({ ...good, address: '192.0.2.99' })).toBe(false);
    expect(limiter.isRefused(attemptOf('front door'))).toBe(true);
    limiter.failed(good);
    expect(limiter.isRefused(good)).toBe(true);
  });

  it('takes a trusted proxy for no address, and still bounds each device behind it', () => {
    expect(fail(1_000, (time) => attemptOf(`device ${String(time)}`, { address: PROXY }))).toBe(1_000);
    expect(fail(1_000, () => attemptOf('broken', { address: PROXY }))).toBe(5);
  });
});
