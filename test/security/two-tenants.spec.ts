/**
 * P-07: no cross-tenant read or write. Walks every route of the OpenAPI document, compared with the routes that the
 * server really has, so that a new route is covered or fails this test. Everything of Ada's carries a canary; Mallory
 * asks for it in every way, and so do a guest whose share of her device has ended and one whose share is closed by its
 * schedule, also by their own share; each request is shown to be a good one by Ada doing the same.
 * Seen to fail: with a guard that gives any account any device, and with shares that are read after they ended.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ApiRoute, documentedRoutes, fill, GOOD_BODIES } from '../support/api-routes.js';
import type { TestApp } from '../support/test-app.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { expectProblem, type ExactAnswer, exactRequest } from '../support/exact-http.js';
import type { Account, InsertedAccount } from '../support/accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { seededRandom } from '../support/seeded-random.js';
import { serverRoutes } from '../support/server-routes.js';
import { commandThatWaits, createClosedGuest, createTwoTenants, type TwoTenants } from '../support/two-tenants.js';

const REQUESTS = scaled(500, 100_000);
const AT_ONCE = 8;
const CANARY = `canary-${randomUUID().slice(0, 8)}`;

/** What each route demands, as decided in test/contract/routes.json: one more public route is a decision made there. */
const DEMANDS = JSON.parse(readFileSync('test/contract/routes.json', 'utf8')) as Record<string, string>;
const demanding = (what: RegExp): string[] => Object.keys(DEMANDS).filter((name) => what.test(DEMANDS[name] ?? ''));
const PUBLIC = demanding(/^public$/);
const ADMIN = demanding(/^(admin|maker)$/);
/** What devices say, with their own tokens. */
const UPLINK = demanding(/^uplink$/);
/** Of the caller's own, without an id: what the answer is made of must be the caller's. */
const OWN = demanding(/^signed in$/).filter((name) => !name.includes('{'));
/** Served beside the API. */
const UNDOCUMENTED = ['GET /metrics'];

let tenants: TwoTenants;
let application: TestApp;
let routes: ApiRoute[];
let ada: Account;
let mallory: Account;
let formerGuest: Account;
let closedGuest: Awaited<ReturnType<typeof createClosedGuest>>;
let hers: RegisteredDevice;
let his: RegisteredDevice;
let herCommand: string;
let herOrganization: string;
let herSession: string;
let herShare: string;
let herTransfer: string;
let sent = 0;

beforeAll(async () => {
  tenants = await createTwoTenants(CANARY);
  ({ application, ada, mallory, formerGuest, hers, his, herCommand, herOrganization, herSession, herShare } = tenants);
  closedGuest = await createClosedGuest(tenants);
  herTransfer = await offer((await registerDevice(application.url, ada)).id);
  routes = await documentedRoutes(application.url);
}, 60_000);

afterAll(() => tenants.stop());

/** @returns the id of Ada's offer of this device. */
async function offer(deviceId: string): Promise<string> {
  const { body } = await asAda<{ id: string }>('POST', deviceId, '/transfer', { email: `${randomUUID()}@example.com` });
  return body.id;
}

function asAda<T = Record<string, unknown>>(
  method: string,
  deviceId: string,
  rest: string,
  body?: object,
): Promise<Answer<T>> {
  return request<T>(application.url, method, `/api/v1/devices/${deviceId}${rest}`, { token: ada.accessToken, body });
}

/** What has to be there before a request of Ada's is a good one. */
const PREPARED: Readonly<Record<string, () => Promise<unknown>>> = {
  'GET /api/v1/devices/{deviceId}/qr': () => asAda('POST', hers.id, '/activation-code'),
  'GET /api/v1/devices/{deviceId}/transfer': () => offer(hers.id),
  'POST /api/v1/devices/{deviceId}/transfer': () => asAda('DELETE', hers.id, '/transfer'),
  'DELETE /api/v1/devices/{deviceId}/transfer': () => offer(hers.id),
};
/** What a person may do with a share that they hold, whatever its hours. */
const LEAVE = 'DELETE /api/v1/shares/{shareId}';
const HELD = 'GET /api/v1/shares';
/** It ends what other requests are about. */
const LATE = 'POST /api/v1/devices/{deviceId}/factory-reset';

interface Try {
  readonly person?: Pick<InsertedAccount, 'accessToken'>;
  readonly deviceId: string;
  readonly commandId?: string;
  readonly shareId?: string;
}

function call(
  route: ApiRoute,
  { person, deviceId, commandId = herCommand, shareId = herShare }: Try,
  method = route.method,
): Promise<ExactAnswer> {
  sent += 1;
  const body = route.takesBody ? GOOD_BODIES[route.name]?.() : undefined;
  return exactRequest(application.url, {
    method,
    path: fill(route.path, {
      deviceId,
      commandId,
      organizationId: herOrganization,
      sessionId: herSession,
      userId: ada.id,
      invitationId: herCommand,
      shareId,
      transferId: herTransfer,
      exportId: tenants.herExport,
      scheduleId: tenants.herSchedule,
      notificationId: tenants.herNotification,
      subscriptionId: tenants.herSubscription,
      webhookId: tenants.herWebhook,
      deliveryId: tenants.herDelivery,
      address: '203.0.113.9',
      kid: 'A'.repeat(43),
    }),
    headers: {
      'idempotency-key': randomUUID(),
      ...(person ? { authorization: `Bearer ${person.accessToken}` } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
}

/** Routes with the id of something that an account owns. */
function namedRoutes(): ApiRoute[] {
  return routes.filter(
    ({ name, parameters }) => parameters.length > 0 && ![...ADMIN, ...PUBLIC, ...UPLINK].includes(name),
  );
}

/** Every way to ask for what is Ada's, and the only answer there is. */
function attempts(route: ApiRoute): (() => Promise<void>)[] {
  const foreign: Try[] = [
    { person: mallory, deviceId: hers.id },
    { person: formerGuest, deviceId: hers.id },
    { person: closedGuest, deviceId: hers.id },
    ...(route.parameters.includes('shareId')
      ? [{ person: formerGuest, deviceId: hers.id, shareId: tenants.endedShare }]
      : []),
    ...(route.parameters.includes('shareId') && route.name !== LEAVE
      ? [{ person: closedGuest, deviceId: hers.id, shareId: closedGuest.shareId }]
      : []),
    ...(route.parameters.includes('deviceId') ? [{ person: mallory, deviceId: hers.id.toUpperCase() }] : []),
    ...(route.parameters.includes('commandId') ? [{ person: mallory, deviceId: his.id }] : []),
  ];
  return [
    ...foreign.map((each) => async () => {
      const answer = await call(route, each);
      expectProblem(answer, 404);
      expect(answer.text).not.toContain(CANARY);
    }),
    async () => {
      expectProblem(await call(route, { deviceId: hers.id }), 401);
    },
    ...(route.method === 'GET'
      ? [
          async () => {
            expect(await call(route, { person: mallory, deviceId: hers.id }, 'HEAD')).toMatchObject({
              status: 404,
              text: '',
            });
            expect(await call(route, { deviceId: hers.id }, 'HEAD')).toMatchObject({ status: 401, text: '' });
          },
        ]
      : []),
  ];
}

/** What Ada sees of her own, and the guest of the share that is closed; nothing that others do may change it. */
async function herView(): Promise<unknown> {
  const { name, room } = (await asAda('GET', hers.id, '')).body;
  const commands = await asAda<{ items: { id: string }[] }>('GET', hers.id, '/commands');
  const { body: shares } = await asAda('GET', hers.id, '/shares');
  const { body: held } = await request(application.url, 'GET', '/api/v1/shares', { token: closedGuest.accessToken });
  return { name, room, commands: commands.body.items.map(({ id }) => id), shares, held };
}

describe('P-07: two tenants over HTTP', () => {
  it('walks every route that the server has', async () => {
    const documented = routes.map(({ name }) => name);
    const served = serverRoutes(application.nest).filter(
      (name) => !UNDOCUMENTED.includes(name) && !name.startsWith('GET /api/docs'),
    );
    expect(served.sort()).toEqual([...documented].sort());
    const named = namedRoutes().map(({ name }) => name);
    const walked = [...PUBLIC, ...OWN, ...ADMIN, ...UPLINK, ...named].filter((name) => !UNDOCUMENTED.includes(name));
    expect(walked.sort()).toEqual([...documented].sort());
    const open = routes.filter(({ guarded }) => !guarded).map(({ name }) => name);
    expect(open.sort()).toEqual(PUBLIC.filter((name) => !UNDOCUMENTED.includes(name)).sort());
    expect(routes.filter(({ takesBody, name }) => takesBody && !(name in GOOD_BODIES)).map(({ name }) => name)).toEqual(
      [],
    );
    const parameters = new Set(namedRoutes().flatMap((route) => route.parameters));
    const filled =
      'deviceId commandId organizationId sessionId userId invitationId shareId transferId exportId scheduleId notificationId subscriptionId webhookId deliveryId'.split(
        ' ',
      );
    expect([...parameters].sort()).toEqual(filled.sort());
    const held = { items: [{ id: closedGuest.shareId, state: 'closed' }] };
    await expect(herView()).resolves.toMatchObject({ name: `${CANARY} door`, held });
  });

  it('answers 404 to another tenant and 401 without a token, on every route with an id', async () => {
    const before = await herView();
    const named = namedRoutes();
    const all = named.flatMap(attempts);
    const random = seededRandom(SEED);
    const worker = async (): Promise<void> => {
      while (sent < REQUESTS) {
        await all[Math.floor(random() * all.length)]?.();
      }
    };
    for (const attempt of all) {
      await attempt();
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(await herView()).toEqual(before);
    recordFigure({
      promise: 'P-07',
      shown: `Every route with an id (${String(named.length)}), requested by another tenant, by guests whose share ended or is closed, and without a token.`,
      n: sent,
      figure: '0 leaks, 0 changes',
      seed: SEED,
    });
  }, 600_000);

  it('needs no token only on the routes that are listed as public', async () => {
    for (const route of routes.filter(({ name }) => OWN.includes(name))) {
      expectProblem(await call(route, { deviceId: hers.id }), 401);
    }
  });

  it('takes what a device says from that device alone, not from its owner, another device or without a token', async () => {
    for (const route of routes.filter(({ name }) => UPLINK.includes(name))) {
      for (const token of [his.token, mallory.accessToken, ada.accessToken, undefined, hers.token]) {
        const answer = await exactRequest(application.url, {
          method: route.method,
          path: fill(route.path, { deviceId: hers.id }),
          headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
          body: JSON.stringify(GOOD_BODIES[route.name]?.()),
        });
        expect(`${route.name} ${String(answer.status)}`).toBe(`${route.name} ${token === hers.token ? '200' : '401'}`);
      }
    }
  });

  it('refuses administration to accounts without the role, and everything without a token', async () => {
    for (const route of routes.filter(({ name }) => ADMIN.includes(name))) {
      const answer = await call(route, { person: mallory, deviceId: hers.id });
      expectProblem(answer, 403);
      expect(answer.text).not.toContain(CANARY);
      expectProblem(await call(route, { deviceId: hers.id }), 401);
    }
  });

  it('shows nothing of Ada’s among what is one’s own', async () => {
    for (const route of routes.filter(({ name, method }) => OWN.includes(name) && method === 'GET')) {
      for (const person of [mallory, formerGuest, ...(route.name === HELD ? [] : [closedGuest])]) {
        expect((await call(route, { person, deviceId: hers.id })).text).not.toContain(CANARY);
      }
    }
  });

  it('keeps the idempotency keys of two people apart', async () => {
    const key = randomUUID();
    const first = await sendCommand(application.url, ada, hers.id, { name: 'lock_door' }, { key });
    const second = await sendCommand(application.url, mallory, his.id, { name: 'lock_door' }, { key });
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.id).not.toBe(first.body.id);
    expect(second.body.deviceId).toBe(his.id);
  });
});

describe('P-07: what was refused was well asked', () => {
  it('does for Ada what it did not do for Mallory, on every route of a device', async () => {
    herCommand = await commandThatWaits(application.url, ada, hers);
    const order = ['GET', 'PATCH', 'PUT', 'POST', 'DELETE'];
    // Organizations and sessions: the requests of P-19 show that each of their requests is a good one.
    const named = namedRoutes().filter(({ parameters }) => parameters.includes('deviceId'));
    // What deletes the device comes last.
    const ends = ({ name }: ApiRoute): number => [LATE, 'DELETE /api/v1/devices/{deviceId}'].indexOf(name);
    const sorted = named.sort((a, b) => ends(a) - ends(b) || order.indexOf(a.method) - order.indexOf(b.method));
    for (const route of sorted) {
      await PREPARED[route.name]?.();
      const { status, text } = await call(route, { person: ada, deviceId: hers.id });
      expect(`${route.name} ${String(status)} ${text}`).toMatch(/^\S+ \S+ 2\d\d /);
    }
  });
});
