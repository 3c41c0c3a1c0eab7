/**
 * P-33: malformed frames never crash; here on the sockets of dashboards.
 * Seen to fail: without `@IsUUID()` on the id that a dashboard names (500 from the database), and without a bound of the depth.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { RefusedRequest } from '../../src/contracts/realtime.js';
import { Dashboard } from '../support/dashboard.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { BadInputTarget } from '../support/bad-input-target.js';
import { eventually } from '../support/wait.js';

const RUNS = scaled(60, 3_000);

let target: BadInputTarget;
let dashboard: Dashboard;
let tries = 0;

beforeAll(async () => {
  target = await BadInputTarget.start();
  dashboard = await Dashboard.signedIn(target.url, target.owner.accessToken);
}, 60_000);

afterAll(async () => {
  dashboard.close();
  await target.stop();
}, 60_000);

const DEEP: unknown = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`);
const anyJson = fc.jsonValue({ depthSize: 'small', stringUnit: 'binary' });

describe('P-33: bad handshakes', () => {
  const good = (): Record<string, unknown> => ({ token: target.owner.accessToken, clientType: 'dashboard' });

  it.each<[what: string, auth: () => Record<string, unknown>, code: string]>([
    ['nothing', () => ({}), 'invalid_request'],
    ['no token', () => ({ clientType: 'dashboard' }), 'invalid_request'],
    ['a token that is none', () => ({ ...good(), token: 'x' }), 'invalid_request'],
    ['a token that is a list', () => ({ ...good(), token: [target.owner.accessToken] }), 'invalid_request'],
    ['a token that is an object', () => ({ ...good(), token: { toString: 'x' } }), 'invalid_request'],
    ['a token of lists in lists', () => ({ ...good(), token: DEEP }), 'invalid_request'],
    ['an unsigned token', () => ({ ...good(), token: 'eyJhbGciOiJub25lIn0.e30.AAAA' }), 'token_invalid'],
    [
      'a token with another signature',
      () => ({ ...good(), token: `${target.owner.accessToken.slice(0, -9)}AAAAAAAAA` }),
      'token_invalid',
    ],
    ['a client of another type', () => ({ ...good(), clientType: 'admin' }), 'invalid_request'],
    ['a cursor that is a number', () => ({ ...good(), lastCursor: 7 }), 'invalid_request'],
    ['a cursor that is a novel', () => ({ ...good(), lastCursor: 'x'.repeat(513) }), 'invalid_request'],
    ['a member too many', () => ({ ...good(), admin: true }), 'invalid_request'],
  ])('refuses %s', async (_what, auth, code) => {
    tries += 1;
    await expect(Dashboard.connect(target.url, auth())).rejects.toMatchObject({
      data: { code, status: code === 'token_invalid' ? 401 : 400 },
    });
  });

  it('are answered member by member', async () => {
    const refusal = { type: expect.stringContaining('invalid_request'), title: 'Bad Request' };
    await expect(Dashboard.connect(target.url, { token: 'x', clientType: 'admin', from: 'me' })).rejects.toMatchObject({
      data: {
        ...refusal,
        errors: expect.arrayContaining([
          { detail: expect.any(String), pointer: '/token' },
          { detail: expect.any(String), pointer: '/clientType' },
          { detail: expect.any(String), pointer: '/from' },
        ]),
      },
    });
  });

  it('tells a dashboard with a cursor of nowhere to read again', async () => {
    for (const cursor of [
      '',
      '.',
      'zzzz',
      '%00',
      Buffer.from('x.1.1').toString('base64url'),
      Buffer.from(`x.${'9'.repeat(20)}.1`).toString('base64url'),
    ]) {
      tries += 1;
      const returned = await Dashboard.signedIn(target.url, target.owner.accessToken, cursor);
      await returned.expectResync();
      returned.close();
    }
  });
});

describe('P-33: bad messages on sockets', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'x'],
    ['a number', 1],
    ['a list', []],
    ['an empty object', {}],
    ['an id that is none', { deviceId: 'x' }],
    ['an id that is a list', { deviceId: ['x'] }],
    ['an id with U+0000', { deviceId: '\0' }],
    ['an id of lists in lists', { deviceId: DEEP }],
    ['a query', { deviceId: { $ne: null } }],
    ['a member too many', { deviceId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55', admin: true }],
    ['bytes', Buffer.from([1, 2, 3])],
  ])('answers %s with a problem', async (_what, body) => {
    for (const message of ['subscribe_device', 'unsubscribe_device'] as const) {
      tries += 1;
      expect(await dashboard.request(message, body)).toMatchObject({ error: { code: 'invalid_request', status: 400 } });
    }
  });

  it('are answered member by member, in an answer of a few kilobytes', async () => {
    const pointers = async (body: unknown): Promise<unknown> => {
      const answer = await dashboard.request('subscribe_device', body);
      expect(JSON.stringify(answer).length).toBeLessThan(8_192);
      return 'error' in answer ? answer.error.errors?.map(({ pointer }) => pointer) : answer;
    };
    expect(await pointers({ deviceId: 'x', admin: true })).toEqual(expect.arrayContaining(['/deviceId', '/admin']));
    expect(await pointers({ ['x'.repeat(60_000)]: 1, deviceId: 'x' })).toEqual(['/deviceId']);
    const many = Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`m${String(index)}`, 0]));
    expect(await pointers(many)).toEqual(expect.arrayContaining(['/m0']));
  });

  it.each([
    ['subscribeDevice', 'There is no request of this name. Did you mean `subscribe_device`?'],
    ['unsubscribe_devices', 'There is no request of this name. Did you mean `unsubscribe_device`?'],
    ['open_door', 'There is no request of this name. `/api/docs/asyncapi.json` lists those that there are.'],
    ['toString', 'There is no request of this name. `/api/docs/asyncapi.json` lists those that there are.'],
    ['x'.repeat(60_000), 'There is no request of this name. `/api/docs/asyncapi.json` lists those that there are.'],
  ])('with a name that we do not know are told so: %.20s', async (name, detail) => {
    const answer = await dashboard.request(name as 'subscribe_device', { deviceId: 'x' });
    expect(answer).toEqual({
      error: {
        type: expect.stringContaining('unknown_event'),
        title: 'Not Found',
        status: 404,
        code: 'unknown_event',
        detail,
      },
    });
  });

  it('that wait for no acknowledgement are told of the problem alone', async () => {
    const heard: RefusedRequest[] = [];
    dashboard.socket.on('problem', (problem) => heard.push(problem));
    const { socket } = dashboard as unknown as { socket: { emit(name: string, ...body: unknown[]): void } };
    socket.emit('unsubscribe_device', { deviceId: randomUUID() });
    socket.emit('subscribe_device', { deviceId: 'x' });
    socket.emit('y'.repeat(60_000));
    await eventually('both were refused', () => heard.length === 2);
    const [known, unknown] = [
      heard.find(({ code }) => code === 'invalid_request'),
      heard.find(({ status }) => status === 404),
    ];
    expect(known).toMatchObject({ request: 'subscribe_device', errors: [{ pointer: '/deviceId' }] });
    expect(unknown).toMatchObject({ request: 'y'.repeat(64), code: 'unknown_event' });
    dashboard.socket.off('problem');
  });

  it('whose name is a number are answered like any other', async () => {
    const { socket } = dashboard as unknown as { socket: { emitWithAck(name: number): Promise<unknown> } };
    await expect(socket.emitWithAck(5)).resolves.toMatchObject({ error: { code: 'unknown_event' } });
  });

  it('answers whatever it is asked, and how often', async () => {
    const anything = fc.oneof(
      anyJson,
      fc.dictionary(fc.constantFrom('deviceId', '__proto__', 'constructor'), anyJson),
      fc.record({ deviceId: fc.uuid() }),
    );
    const property = fc.asyncProperty(
      fc.constantFrom('subscribe_device' as const, 'unsubscribe_device' as const),
      anything,
      async (message, body) => {
        tries += 1;
        const answer = await dashboard.request(message, body);
        expect('ok' in answer ? 200 : answer.error.status).toBeLessThan(500);
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  }, 300_000);

  it('survives every frame below Socket.IO, before and after its greeting', async () => {
    const frame = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc
        .tuple(
          fc.constantFrom(
            '0',
            '1',
            '2',
            '3',
            '4',
            '40',
            '41',
            '42',
            '43',
            '44',
            '451-',
            '4510-',
            '42/x,',
            '421',
            '40{"token":',
            '42["subscribe_device",',
          ),
          fc.oneof(
            anyJson.map((value) => JSON.stringify(value)),
            fc.string(),
          ),
        )
        .map((parts) => parts.join('')),
      fc.uint8Array({ maxLength: 100 }),
      fc.constant('4'.repeat(70_000)),
    );
    const property = fc.asyncProperty(
      fc.boolean(),
      fc.array(frame, { minLength: 1, maxLength: 4 }),
      async (greets, frames) => {
        tries += 1;
        const auth = JSON.stringify({ token: target.owner.accessToken, clientType: 'dashboard' });
        await throwAt(target.url, greets ? [`40${auth}`, ...frames] : frames);
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  }, 300_000);

  it('is alive after all of it: the dashboard sees the door open, and nothing went wrong inside', async () => {
    const viewer = await Dashboard.signedIn(target.url, target.owner.accessToken);
    await target.expectHealthy();
    await viewer.expect('that the door is open', ({ event }) => event === 'door_status_changed');
    viewer.close();
    recordFigure({
      promise: 'P-33',
      shown: 'Bad handshakes, messages and frames on sockets.',
      n: tries,
      figure: '0 crashes, 0 faults inside',
      seed: SEED,
    });
  }, 60_000);
});

/** A WebSocket without Socket.IO: opens, sends these frames, and closes. */
function throwAt(base: string, frames: readonly (string | Uint8Array)[]): Promise<void> {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('The socket does not close.'));
    }, 10_000);
    socket.addEventListener('open', () => {
      frames.forEach((frame) => {
        socket.send(frame);
      });
      socket.close();
    });
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
