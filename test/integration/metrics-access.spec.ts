/**
 * Who reads `/metrics`. Seen to fail: with the client's address believed instead of the connection's, which made every
 * request loopback that came through a proxy on the same machine.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { networkInterfaces } from 'node:os';
import { TestApp } from '../support/test-app.js';
import { exactRequest } from '../support/exact-http.js';

let application: TestApp;

afterEach(() => application.stop());

async function scrape(headers: Readonly<Record<string, string>> = {}, base = application.url): Promise<number> {
  return (await exactRequest(base, { path: '/metrics', headers })).status;
}

describe('The metrics', () => {
  it('are for loopback, and not for what a proxy on loopback passes on', async () => {
    application = await TestApp.start({ env: { ROLES: 'api' } });
    expect(await scrape()).toBe(200);
    for (const [name, value] of [
      ['x-forwarded-for', '203.0.113.9'],
      ['x-forwarded-for', '127.0.0.1'],
      ['forwarded', 'for=203.0.113.9'],
      ['x-real-ip', '203.0.113.9'],
      ['via', '1.1 proxy'],
    ] as const) {
      expect([name, await scrape({ [name]: value })]).toEqual([name, 403]);
    }
  });

  it('are not for who only says to be loopback, through a proxy that is trusted', async () => {
    const outer = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
    const TRUSTED_PROXIES = ['127.0.0.1', ...(outer === undefined ? [] : [outer])]
      .map((each) => `${each}/32`)
      .join(',');
    application = await TestApp.start({ env: { ROLES: 'api', HOST: '0.0.0.0', TRUSTED_PROXIES } });
    const saysLoopback = { 'x-forwarded-for': '127.0.0.1' };
    expect(await scrape(saysLoopback)).toBe(403);
    if (outer !== undefined) {
      const base = application.url.replace('127.0.0.1', outer);
      expect([await scrape({}, base), await scrape(saysLoopback, base)]).toEqual([403, 403]);
    }
  });

  it('need METRICS_TOKEN where it is set', async () => {
    application = await TestApp.start({ env: { ROLES: 'api', METRICS_TOKEN: 'a-token-for-prometheus-42' } });
    expect(await scrape()).toBe(403);
    expect(await scrape({ authorization: 'Bearer another-token' })).toBe(403);
    const headers = { authorization: 'Bearer a-token-for-prometheus-42', 'x-forwarded-for': '203.0.113.9' };
    expect(await scrape(headers)).toBe(200);
  });
});
