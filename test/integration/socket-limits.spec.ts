/** What keeps one client from taking the time of others: where it connects from, how many connections and messages it has. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DEVICE_SOCKET_PATH } from '../../src/contracts/device-sockets.js';
import type { Server } from 'socket.io';
import { MembershipsService } from '../../src/features/organizations/memberships.service.js';
import { RealtimeGateway } from '../../src/features/realtime/sockets/realtime.gateway.js';
import { Authenticator } from '../../src/platform/auth/authenticator.js';
import { DeviceSocketAuthenticator } from '../../src/platform/realtime/devices/device-socket-authenticator.js';
import { SocketRateLimiter } from '../../src/platform/rate-limit/socket-rate-limiter.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { registerDevice } from '../support/devices.fixture.js';
import { handshakeAnswer } from '../support/handshake-answer.js';
import { RawSocket } from '../support/raw-socket.js';
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
      const { status, type, body } = await handshakeAnswer(app.url, origin, upgrade);
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

describe('Frames that are no messages', () => {
  const FLOOD = 4_000;

  it.each([
    ['acknowledgements of nothing', (n: number) => `43${String(n)}["x"]`],
    ['calls of namespaces that are not there', (n: number) => `40/nope${String(n)},`],
    ['pongs', () => '3'],
  ])('cut the connection that floods with %s, signed in or not, and no other', async (_name, packet) => {
    const cuts = await app.metric('mortise_sockets_cut_total{reason="frames"}');
    const neighbour = await connect();
    const auth = { clientType: 'dashboard', token: ada.accessToken };
    for (const flood of [await RawSocket.open(app.url), await RawSocket.signedIn(app.url, auth)]) {
      for (let n = 0; n < FLOOD; n += 1) {
        flood.send(packet(n));
      }
      await eventually('it is cut', () => flood.isClosed);
    }
    expect(await app.metric('mortise_sockets_cut_total{reason="frames"}')).toBeGreaterThan(cuts);
    expect(await neighbour.request('unsubscribe_device', { deviceId: randomUUID() })).toEqual({ ok: true });
    neighbour.close();
  });

  it('cut the connection that floods with the pings of WebSocket, or with many bytes', async () => {
    const [pings, bytes] = [await connect(), await connect()];
    const { ws } = pings.socket.io.engine.transport as unknown as { ws: { ping(): void } };
    for (let n = 0; n < FLOOD; n += 1) {
      ws.ping();
    }
    const { engine } = bytes.socket.io as unknown as { engine: { write(packet: string): void } };
    for (let n = 0; n < 300; n += 1) {
      engine.write(`31["${'x'.repeat(64_000)}"]`);
    }
    await Promise.all([pings.closed(), bytes.closed()]);
  });
});

describe('A client that leaves its namespace', () => {
  it('leaves its connection, too, a dashboard like a device', async () => {
    const { id, token } = await registerDevice(app.url, ada);
    for (const [path, auth] of [
      ['/socket.io/', { clientType: 'dashboard', token: ada.accessToken }],
      [DEVICE_SOCKET_PATH, { clientType: 'device', deviceId: id, token }],
    ] as const) {
      const socket = await RawSocket.signedIn(app.url, auth, path);
      socket.send('41');
      await eventually(`the connection of ${path} is closed`, () => socket.isClosed);
    }
  });
});

describe('The connections of one person', () => {
  it('are exactly 100 of 150 that come at once, and a refused one takes no place', async () => {
    const grace = await insertAccount(app);
    const codes: string[] = [];
    const hers: Dashboard[] = [];
    await Promise.all(
      Array.from({ length: 150 }, () =>
        connect({}, grace).then(
          (dashboard) => hers.push(dashboard),
          (error: unknown) => codes.push((error as { data: { code: string } }).data.code),
        ),
      ),
    );
    expect(hers).toHaveLength(100);
    expect(codes).toEqual(Array.from({ length: 50 }, () => 'too_many_connections'));
    hers.forEach((each) => {
      each.close();
    });
    // A handshake that fails after it has taken its place gives it back.
    const spy = jest.spyOn(app.get(MembershipsService), 'organizationsOf').mockRejectedValue(new Error('a fault'));
    for (let n = 0; n < 3; n += 1) {
      await expect(connect({}, grace)).rejects.toThrow();
    }
    spy.mockRestore();
    const again = await eventually('as many may connect as before', async () => {
      const results = await Promise.allSettled(Array.from({ length: 100 }, () => connect({}, grace)));
      const connected = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      connected.forEach((each) => {
        each.close();
      });
      return connected.length === 100;
    });
    expect(again).toBe(true);
  });

  it('are at most 100 to a process; those of others are not fewer', async () => {
    const [grace, mallory] = [await insertAccount(app), await insertAccount(app)];
    const before = await refused('connections');
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
    // One beyond them counts among the requests of its person all the same.
    const counted = jest.spyOn(app.get(SocketRateLimiter), 'countPerson');
    await expect(connect({}, grace)).rejects.toThrow('too_many_connections');
    expect(counted.mock.calls).toEqual([[grace.id]]);
    counted.mockRestore();
    expect(await refused('connections')).toBe(before + 2);
    (await connect({}, mallory)).close();
    hers.pop()?.close();
    const again = await eventually('one more may connect', () => connect({}, grace).catch(() => null));
    [...hers, again].forEach((each) => {
      each.close();
    });
  });
});

describe('A connection', () => {
  it('has one handshake: a second one cuts it, however many come at once, of a dashboard or a device', async () => {
    const asked = [
      jest.spyOn(app.get(Authenticator), 'admit'),
      jest.spyOn(app.get(DeviceSocketAuthenticator), 'authenticate'),
    ];
    const { id, token } = await registerDevice(app.url, ada);
    asked.forEach((spy) => {
      spy.mockClear();
    });
    for (const [path, auth] of [
      ['/socket.io/', { clientType: 'dashboard', token: ada.accessToken }],
      [DEVICE_SOCKET_PATH, { clientType: 'device', deviceId: id, token }],
    ] as const) {
      for (const prefix of ['40', '40/,']) {
        const socket = await RawSocket.open(app.url, path);
        for (let n = 0; n < 500; n += 1) {
          socket.send(prefix + JSON.stringify(auth));
        }
        await eventually(`the connection of ${path} is cut`, () => socket.isClosed);
      }
    }
    const calls = asked.map((spy) => spy.mock.calls.length);
    asked.forEach((spy) => {
      spy.mockRestore();
    });
    expect(Math.max(...calls)).toBeLessThanOrEqual(2);
  });
});

describe('A storm of handshakes', () => {
  it('does nothing for those whose clients have left while they waited', async () => {
    const { server } = app.get(RealtimeGateway) as unknown as { server: Server };
    const people = await Promise.all(Array.from({ length: 3 }, () => insertAccount(app)));
    let release: (ids: string[]) => void = () => undefined;
    const held = new Promise<string[]>((resolve) => {
      release = resolve;
    });
    const spy = jest.spyOn(app.get(MembershipsService), 'organizationsOf').mockReturnValue(held);
    await eventually('nobody else is connected', () => server.engine.clientsCount === 0);
    const served = Array.from({ length: 256 }, (_, n) => connect({}, people[n % people.length]));
    await eventually('as many are identified as may be at once', () => spy.mock.calls.length === 256);
    const leaving = await Promise.all(Array.from({ length: 20 }, () => RawSocket.open(app.url)));
    const admitted = jest.spyOn(app.get(Authenticator), 'admit');
    leaving.forEach((socket) => {
      socket.send(`40${JSON.stringify({ clientType: 'dashboard', token: ada.accessToken })}`);
      socket.close();
    });
    await eventually('they have left', () => server.engine.clientsCount === 256);
    release([]);
    (await Promise.all(served)).forEach((dashboard) => {
      dashboard.close();
    });
    const calls = admitted.mock.calls.length;
    [spy, admitted].forEach((each) => {
      each.mockRestore();
    });
    expect(calls).toBe(0);
  });

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
