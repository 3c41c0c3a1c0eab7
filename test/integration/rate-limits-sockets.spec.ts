/**
 * The limits of HTTP hold on sockets. Each test was seen to fail without its line in the socket's rate limiter: the look at
 * blocked addresses, the count of strangers, the count of messages; and without the bound of what is unread, the port
 * taken off the address, the bound of the depth, or the end of a refused connection.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'socket.io';
import { PAGES_IN_DEVELOPMENT } from '../../tools/stack/application.js';
import { RealtimeGateway } from '../../src/features/realtime/sockets/realtime.gateway.js';
import { BlockedIpStore } from '../../src/platform/rate-limit/blocked-ip-store.js';
import type { RefusedRequest } from '../../src/contracts/realtime.js';
import { TestApp } from '../support/test-app.js';
import { Dashboard } from '../support/dashboard.js';
import { createAccount } from '../support/accounts.fixture.js';
import { eventually } from '../support/wait.js';

const PAGE = 'https://doors.example';

let app: TestApp;
let lastHost = 0;
let lastPort = 50_000;

beforeAll(async () => {
  app = await TestApp.start({
    env: {
      ROLES: 'api',
      RATE_LIMIT_SCALE: '1',
      RATE_LIMIT_ANONYMOUS: '20/1m',
      RATE_LIMIT_USER: '30/1m',
      RATE_LIMIT_AUTH: '100/1m',
      TRUSTED_PROXIES: '127.0.0.1/32',
      CORS_ORIGINS: `${PAGE},${PAGES_IN_DEVELOPMENT}`,
    },
  });
});

afterAll(() => app.stop());

/** With a port, as some proxies write it: another one for each connection. */
function nextAddress(): { readonly address: string; readonly from: () => Record<string, string> } {
  lastHost += 1;
  const address = `198.51.100.${String(lastHost)}`;
  const from = (): Record<string, string> => {
    lastPort += 1;
    return { 'x-forwarded-for': `${address}:${String(lastPort)}` };
  };
  return { address, from };
}

function signedIn(token: string): Promise<Dashboard> {
  return Dashboard.connect(app.url, { token, clientType: 'dashboard' }, nextAddress().from());
}

async function refusalOf(token: unknown, from: Record<string, string>): Promise<unknown> {
  try {
    (await Dashboard.connect(app.url, { token, clientType: 'dashboard' }, from)).close();
    return null;
  } catch (error) {
    return (error as { data?: { code?: string } }).data?.code ?? 'no connection';
  }
}

describe('a socket', () => {
  it('counts handshakes without a valid token by IP address, and blocks the address that goes on, for strangers', async () => {
    const { from } = nextAddress();
    const unsigned = 'eyJhbGciOiJub25lIn0.e30.AAAA';
    const codes: unknown[] = [];
    for (let time = 0; time < 32; time += 1) {
      codes.push(await refusalOf(unsigned, from()));
    }
    expect(codes).toEqual([
      ...Array.from({ length: 20 }, () => 'token_invalid'),
      ...Array.from({ length: 10 }, () => 'rate_limited'),
      ...Array.from({ length: 2 }, () => 'address_blocked'),
    ]);
    const { accessToken } = await createAccount(app.url, 'neighbour');
    expect(await refusalOf(accessToken, from())).toBeNull();
  });

  it('counts handshakes of any shape, also those that no token can be read from', async () => {
    const { from } = nextAddress();
    const deep: unknown = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`);
    const codes: unknown[] = [];
    for (let time = 0; time < 21; time += 1) {
      codes.push(await refusalOf(deep, from()));
    }
    expect(codes).toEqual([...Array.from({ length: 20 }, () => 'invalid_request'), 'rate_limited']);
  });

  it('is closed with the refusal of its handshake: the next one costs a connection', async () => {
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const refusals: string[] = [];
    socket.addEventListener('message', ({ data }) => {
      const packet = String(data);
      if (packet.startsWith('44')) {
        refusals.push(packet);
      }
      socket.send('40{"token":"a.b.c","clientType":"dashboard"}');
    });
    await eventually('it is closed', () => socket.readyState === WebSocket.CLOSED, 2_000);
    expect(refusals).toEqual([expect.stringContaining('token_invalid')]);
  });

  it('is refused to strangers at a blocked address, until the block is over', async () => {
    const { address, from } = nextAddress();
    const blocked = app.get(BlockedIpStore);
    await blocked.block(address, 'rate_limit:anonymous', 60_000);
    expect(await refusalOf('a.b.c', from())).toBe('address_blocked');
    await blocked.lift(address);
    expect(await refusalOf('a.b.c', from())).toBe('token_invalid');
  });

  it('is cut when its client reads nothing of much that is sent', async () => {
    const { accessToken } = await createAccount(app.url, 'deaf');
    const [deaf, reader] = [await signedIn(accessToken), await signedIn(accessToken)];
    const { ws } = deaf.socket.io.engine.transport as unknown as { ws: { pause(): void } };
    ws.pause();
    const { server } = app.get(RealtimeGateway) as unknown as { server: Server };
    const cursor = 'x'.repeat(60_000);
    await eventually('it is cut', () => {
      for (let message = 0; message < 20; message += 1) {
        server.emit('resync', { cursor });
      }
      return server.engine.clientsCount === 1;
    });
    expect(reader.socket.connected).toBe(true);
    expect(await app.metric('mortise_sockets_cut_total{reason="unread"}')).toBe(1);
    deaf.close();
    reader.close();
  });

  it('is cut when the connections of its person leave too much unread together, and not one of anybody else', async () => {
    const before = await app.metric('mortise_sockets_cut_total{reason="unread"}');
    const { accessToken } = await createAccount(app.url, 'crowd');
    const hers = await Promise.all(Array.from({ length: 10 }, () => signedIn(accessToken)));
    const other = await signedIn((await createAccount(app.url, 'loner')).accessToken);
    const { server } = app.get(RealtimeGateway) as unknown as { server: Server };
    const lineOf = ({ socket }: Dashboard): { pause(): void; terminate(): void } =>
      (socket.io.engine.transport as unknown as { ws: { pause(): void; terminate(): void } }).ws;
    const lines = [other, ...hers].map(lineOf);
    const fill = async ({ socket }: Dashboard): Promise<void> => {
      const at = server.sockets.sockets.get(socket.id ?? '');
      let looks = 0;
      // Until nothing more fits into the buffers of the operating system, for a while.
      await eventually('it is stuck', () => {
        const { writable } = (at?.conn as unknown as { transport: { writable: boolean } }).transport;
        if (writable) {
          at?.emit('resync', { cursor: 'x'.repeat(1_000_000) });
        }
        looks = writable ? 0 : looks + 1;
        return looks === 5;
      });
      at?.emit('resync', { cursor: 'x'.repeat(3_900_000) });
    };
    lines.forEach((line) => {
      line.pause();
    });
    for (const each of [other, ...hers]) {
      await fill(each);
    }
    const cuts = (await app.metric('mortise_sockets_cut_total{reason="unread"}')) - before;
    expect(cuts).toBeGreaterThan(0);
    expect(cuts).toBeLessThan(5);
    await eventually('the others are connected', () => server.engine.clientsCount === 11 - cuts);
    const left = [...server.sockets.sockets.values()].map(({ id }) => id);
    expect(left).toContain(other.socket.id);
    // They read nothing, so that they would wait for the end of what is said to them.
    lines.forEach((line) => {
      line.terminate();
    });
  });

  it('counts its messages among the requests of its person, whatever the address', async () => {
    const { accessToken } = await createAccount(app.url, 'talker');
    const dashboard = await Dashboard.connect(
      app.url,
      { token: accessToken, clientType: 'dashboard' },
      nextAddress().from(),
    );
    const codes: unknown[] = [];
    for (let time = 0; time < 35; time += 1) {
      const answer = await dashboard.request('subscribe_device', { deviceId: randomUUID() });
      codes.push('error' in answer ? answer.error.code : null);
    }
    dashboard.close();
    expect(new Set(codes.slice(0, 29))).toEqual(new Set(['not_found']));
    expect(new Set(codes.slice(29))).toEqual(new Set(['rate_limited']));
    expect(await refusalOf(accessToken, nextAddress().from())).toBe('rate_limited');
  });

  it('counts what is no request of ours, too, and is silent about it beyond the limit', async () => {
    const { accessToken } = await createAccount(app.url, 'babbler');
    const dashboard = await signedIn(accessToken);
    const heard: RefusedRequest[] = [];
    dashboard.socket.on('problem', (problem) => heard.push(problem));
    const { socket } = dashboard as unknown as { socket: { emit(name: string, body: unknown): void } };
    for (let time = 0; time < 60; time += 1) {
      socket.emit('subscribe_devices', {});
    }
    const last = await dashboard.request('subscribe_devices' as 'subscribe_device', {});
    dashboard.close();
    expect(last).toMatchObject({ error: { code: 'rate_limited', status: 429 } });
    expect(new Set(heard.map(({ code }) => code))).toEqual(new Set(['unknown_event']));
    // Its handshake was counted, too.
    expect(heard.length).toBe(29);
  });

  it.each(['/socket.io/?EIO=4&transport=polling', '/api/v1/devices'])(
    'lets the pages of listed origins ask %s, and no others',
    async (path) => {
      const allowed = async (origin: string): Promise<string | null> =>
        (await fetch(app.url + path, { headers: { ...nextAddress().from(), origin } })).headers.get(
          'access-control-allow-origin',
        );
      // The last ones are listed by `npm start`: pages that are developed on this machine.
      const local = ['http://localhost:5173', 'http://localhost', 'https://127.0.0.1:8443', 'http://[::1]:8080'];
      expect(await Promise.all([PAGE, ...local].map(allowed))).toEqual([PAGE, ...local]);
      const foreign = [
        'https://elsewhere.example',
        'http://localhost.example:5173',
        'http://10.0.0.1:80',
        'http://localhost:*',
      ];
      expect(await Promise.all(foreign.map(allowed))).toEqual(foreign.map(() => null));
    },
  );
});
