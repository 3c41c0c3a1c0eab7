/** What keeps one client from taking the time of others: where it connects from, how many connections and messages it has. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MembershipsService } from '../../src/features/organizations/memberships.service.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let app: TestApp;
let ada: InsertedAccount;

beforeAll(async () => {
  app = await TestApp.start({
    env: { CORS_ORIGINS: 'https://app.example.com', RATE_LIMIT_SCALE: '1', RATE_LIMIT_USER: '100000/1m' },
  });
  ada = await insertAccount(app);
}, 60_000);

afterAll(() => app.stop());

/** What is told to administrators as refusals, too. */
const refused = (of: string): Promise<number> => app.metric(`mortise_live_refusals_total{of="${of}"}`);

const connect = (headers: Record<string, string> = {}, who = ada): Promise<Dashboard> =>
  Dashboard.connect(app.url, { token: who.accessToken, clientType: 'dashboard' }, headers);

/** The answer to a handshake over either transport. */
async function handshake(origin: string, upgrade: boolean): Promise<{ status: number; type: string; body: string }> {
  const path = `/socket.io/?EIO=4&transport=${upgrade ? 'websocket' : 'polling'}`;
  const upgrading = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
  const asked = httpRequest(app.url + path, {
    headers: {
      Origin: origin,
      ...(upgrade && { ...upgrading, 'Sec-WebSocket-Key': Buffer.from(randomUUID().slice(0, 16)).toString('base64') }),
    },
  }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const part of response) {
    body += String(part);
  }
  return { status: response.statusCode ?? 0, type: String(response.headers['content-type']), body };
}

describe('A page', () => {
  it('of a listed origin, of the installation, or none at all may connect', async () => {
    for (const headers of [{ Origin: 'https://app.example.com' }, { Origin: app.url }, {}]) {
      const dashboard = await connect(headers);
      expect(dashboard.socket.connected).toBe(true);
      dashboard.close();
    }
  });

  it.each([
    ['WebSocket', true],
    ['polling', false],
  ])('of another origin is refused over %s, by a problem', async (_name, upgrade) => {
    for (const origin of [
      'https://elsewhere.example',
      'null',
      'https://app.example.com.',
      'https://app.example.com:8443',
    ]) {
      const { status, type, body } = await handshake(origin, upgrade);
      expect([origin, status, type]).toEqual([origin, 403, 'application/problem+json; charset=utf-8']);
      expect(JSON.parse(body)).toMatchObject({ code: 'origin_not_allowed', status: 403 });
    }
    await expect(connect({ Origin: 'https://elsewhere.example' })).rejects.toThrow();
  });
});

describe('A socket at full speed', () => {
  it('is answered up to its limit, told that it is too fast, and cut when it goes on, while others notice nothing', async () => {
    const [flood, neighbour] = [await connect(), await connect()];
    const body = { deviceId: randomUUID() };
    const codes = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const answer = await flood.request('unsubscribe_device', body);
        return 'error' in answer ? answer.error.code : 'ok';
      }),
    );
    expect(codes.slice(0, 200)).toEqual(Array.from({ length: 200 }, () => 'ok'));
    expect(codes.filter((code) => code === 'rate_limited').length).toBeGreaterThan(20);
    expect(await refused('messages')).toBe(codes.filter((code) => code === 'rate_limited').length);
    expect(await neighbour.request('unsubscribe_device', body)).toEqual({ ok: true });
    // Unknown names count with the others, and what is not answered costs no question.
    const socket = flood.socket as unknown as { emit(name: string, body: object): void };
    for (let n = 0; n < 2_000; n += 1) {
      socket.emit(n % 2 === 0 ? 'nonsense' : 'unsubscribe_device', body);
    }
    expect(await flood.closed()).toMatchObject({ code: 'rate_limited', status: 429 });
    expect(await neighbour.request('unsubscribe_device', body)).toEqual({ ok: true });
    neighbour.close();
  });
});

describe('The connections of one person', () => {
  it('are at most 100 to a process; those of others are not fewer', async () => {
    const [grace, mallory] = [await insertAccount(app), await insertAccount(app)];
    const hers = await Promise.all(Array.from({ length: 100 }, () => connect({}, grace)));
    await eventually('all are counted', async () => {
      const refusal = await connect({}, grace).then(
        (more) => {
          hers.push(more);
          return null;
        },
        (error: unknown) => (error as { data: { code: string } }).data.code,
      );
      return refusal === 'too_many_connections';
    });
    expect(hers).toHaveLength(100);
    expect(await refused('connections')).toBe(1);
    (await connect({}, mallory)).close();
    hers.pop()?.close();
    const again = await eventually('one more may connect', () => connect({}, grace).catch(() => null));
    [...hers, again].forEach((each) => {
      each.close();
    });
  });
});

describe('A storm of handshakes', () => {
  it('waits in a bounded queue; those that cannot be served in time are told different moments to come back', async () => {
    const people = await Promise.all(Array.from({ length: 8 }, () => insertAccount(app)));
    let release = (): void => undefined;
    const held = new Promise<string[]>((resolve) => {
      release = () => {
        resolve([]);
      };
    });
    const spy = jest.spyOn(app.get(MembershipsService), 'organizationsOf').mockReturnValue(held);
    const all = Array.from({ length: 300 }, (_, n) =>
      connect({}, people[n % people.length]).then(
        (dashboard) => {
          dashboard.close();
          return null;
        },
        (error: unknown) => (error as { data?: { code: string; retryAfter: number } }).data ?? null,
      ),
    );
    await eventually('as many are identified as may be at once', () => spy.mock.calls.length === 256);
    const busy = (await Promise.race([Promise.all(all.slice(-44)), Promise.all(all)])).filter((data) => data !== null);
    expect(spy.mock.calls.length).toBe(256);
    release();
    spy.mockRestore();
    await Promise.all(all);
    const moments = busy.map(({ retryAfter }) => retryAfter);
    expect(await refused('handshakes')).toBeGreaterThanOrEqual(busy.length);
    expect(new Set(busy.map(({ code }) => code))).toEqual(new Set(['busy']));
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(1);
    expect(new Set(moments).size).toBeGreaterThan(moments.length / 2);
  }, 30_000);
});
