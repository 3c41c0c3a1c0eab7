/**
 * P-07 for dashboards: a walk over the AsyncAPI document. Whatever a dashboard may ask is asked for Ada's device by Mallory and by
 * a guest whose share has ended; whatever dashboards are told is caused for Ada, while theirs are connected in every way: from
 * before, with her cursor, subscribed while the share stood. A message that the document has and the walk has not fails it.
 * Seen to fail: without the check in `subscribe_device`, with a feed that asks for no permission, and with a replay of all that is
 * behind the cursor.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DASHBOARD_REQUESTS, type DashboardRequest, type RequestBodies } from '../../src/contracts/realtime.js';
import { type Account, insertAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { changeDevice, heardChange, typeHeard } from '../support/device-changes.js';
import { registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { FeedCauses } from '../support/feed-causes.js';
import { giveOpenOrders, recordOf } from '../support/open-orders.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { request } from '../support/rest.js';
import { shuffled, walk } from '../support/random-walk.js';
import { SocketDocumentReader } from '../support/socket-document.js';
import { createTwoTenants, share, type TwoTenants } from '../support/two-tenants.js';
import { eventually } from '../support/wait.js';

const REQUESTS = scaled(0, 10_000);
const ROUNDS = scaled(1, 20);
const CANARY = `canary-${randomUUID().slice(0, 8)}`;

/** The compiler knows of each new request. */
const BODIES: { readonly [R in DashboardRequest]: (id: string) => RequestBodies[R] } = {
  subscribe_device: (deviceId) => ({ deviceId }),
  unsubscribe_device: (deviceId) => ({ deviceId }),
  join_organization: (organizationId) => ({ organizationId }),
  send_command: (deviceId) => ({ deviceId, name: 'lock_door', idempotencyKey: randomUUID() }),
  request_device_status: (deviceId) => ({ deviceId }),
  refresh_token: () => ({ token: tenants.ada.accessToken }),
};
/** What a stranger is refused with, where it is not that there is no such thing. */
const REFUSALS: Partial<Record<DashboardRequest, string>> = { refresh_token: 'other_session' };
/** Those that take nothing of the friend of Ada, who may look at her device and is not of her household. */
const OF_FRIENDS: readonly DashboardRequest[] = ['subscribe_device', 'unsubscribe_device', 'request_device_status'];
/** Answered alike whether the device exists or not: there is no subscription that they could take back. */
const ALWAYS_ACCEPTED: readonly string[] = ['unsubscribe_device'];
/** Told to all dashboards of a process that stops, and about nothing else. */
const TOLD_TO_ALL = ['closing'];
/** Of Socket.IO itself, which sends no such message. */
const RESERVED = ['connect', 'connect_error'];

/** A person without a right to Ada's device, with a device of their own. */
interface Stranger {
  readonly account: Account;
  readonly own: RegisteredDevice;
  readonly dashboards: Dashboard[];
}

let tenants: TwoTenants;
let household: string;
let document: SocketDocumentReader;
let others: string[];
let hers: Dashboard;
let friends: Dashboard;
let admins: Dashboard;
let strangers: Stranger[];
let asked = 0;

beforeAll(async () => {
  tenants = await createTwoTenants(CANARY);
  const { application, ada, mallory, formerGuest, his } = tenants;
  const { url } = application;
  household = (
    await request<{ id: string }>(url, 'POST', '/api/v1/organizations', {
      token: ada.accessToken,
      body: { name: 'House' },
    })
  ).body.id;
  document = await SocketDocumentReader.served(url);
  others = [...document.names, ...(await SocketDocumentReader.served(url, 'device')).names].filter(
    (name) => !(name in DASHBOARD_REQUESTS) && !RESERVED.includes(name),
  );
  await giveOpenOrders(tenants);
  hers = await Dashboard.signedIn(url, ada.accessToken);
  const friend = await insertAccount(application, { name: 'friend' });
  await share(url, ada, tenants.hers, friend.email);
  friends = await Dashboard.signedIn(url, friend.accessToken);
  admins = await Dashboard.signedIn(url, (await insertAccount(application, { role: 'ADMIN' })).accessToken);
  strangers = [
    { account: mallory, own: his, dashboards: [] },
    { account: formerGuest, own: await registerDevice(url, formerGuest), dashboards: [await subscribedGuest()] },
  ];
  for (const { account, dashboards } of strangers) {
    dashboards.unshift(await Dashboard.signedIn(url, account.accessToken));
  }
}, 60_000);

afterAll(async () => {
  [hers, friends, admins, ...strangers.flatMap(({ dashboards }) => dashboards)].forEach((dashboard) => {
    dashboard.close();
  });
  await tenants.stop();
});

/** What is on its way to a dashboard has arrived before the answer. */
const arrived = (dashboard: Dashboard): Promise<unknown> =>
  dashboard.request('unsubscribe_device', { deviceId: randomUUID() });

/** A dashboard of the guest that subscribed while a share stood, and heard of the device until it ended. */
async function subscribedGuest(): Promise<Dashboard> {
  const { application, ada, formerGuest } = tenants;
  const shareId = await share(application.url, ada, tenants.hers, formerGuest.email);
  const dashboard = await Dashboard.signedIn(application.url, formerGuest.accessToken);
  expect(await dashboard.request('subscribe_device', BODIES.subscribe_device(tenants.hers.id))).toEqual({ ok: true });
  const first = await changeDevice(tenants.application.url, ada, tenants.hers);
  await eventually('the guest hears it', () => heardChange(dashboard, tenants.hers, first));
  await request(application.url, 'DELETE', `/api/v1/devices/${tenants.hers.id}/shares/${shareId}`, {
    token: ada.accessToken,
  });
  await eventually('the guest does not hear it any more (P-06)', async () => {
    const version = await changeDevice(tenants.application.url, ada, tenants.hers);
    await eventually('Ada hears it', () => heardChange(hers, tenants.hers, version));
    await arrived(dashboard);
    return !heardChange(dashboard, tenants.hers, version);
  });
  return dashboard;
}

/** What of Ada's a request names. */
const idFor = (name: DashboardRequest): string => (name === 'join_organization' ? household : tenants.hers.id);

/** Every request, and every other message that the document knows, by one who has no right. */
function attempts(): (() => Promise<void>)[] {
  const { id } = tenants.hers;
  const ask = (dashboard: Dashboard, name: string, body: unknown): Promise<unknown> => {
    asked += 1;
    return dashboard.request(name as DashboardRequest, body);
  };
  return strangers
    .flatMap(({ dashboards }) => dashboards)
    .flatMap((dashboard) => [
      ...(Object.keys(BODIES) as DashboardRequest[]).flatMap((name) =>
        [idFor(name), idFor(name).toUpperCase()].map((target) => async () => {
          const answer = await ask(dashboard, name, BODIES[name](target));
          expect([name, answer]).toEqual([name, await ask(dashboard, name, BODIES[name](randomUUID()))]);
          if (!ALWAYS_ACCEPTED.includes(name)) {
            expect([name, answer]).toMatchObject([name, { error: { code: REFUSALS[name] ?? 'not_found' } }]);
          }
        }),
      ),
      ...others.map((name) => async () => {
        const answer = await ask(dashboard, name, { deviceId: id, id, name: 'unlock_door', payload: {} });
        expect([name, answer]).toMatchObject([name, { error: { status: 404, code: 'unknown_event' } }]);
      }),
    ]);
}

describe('P-07: what dashboards ask', () => {
  it('is all that the document has', () => {
    expect(document.sentBy('client').sort()).toEqual(['connect', ...Object.keys(BODIES)].sort());
  });

  it('is refused to strangers as if there were no such device, and changes nothing', async () => {
    const { application, ada, mallory, formerGuest } = tenants;
    for (const name of Object.keys(BODIES).reverse() as DashboardRequest[]) {
      for (const dashboard of [hers, friends]) {
        if (dashboard === hers || OF_FRIENDS.includes(name)) {
          const answer = await dashboard.request(name, BODIES[name](idFor(name)));
          expect([name, answer]).toMatchObject([name, { ok: true }]);
        }
      }
    }
    for (const { accessToken: token } of [mallory, formerGuest]) {
      for (const more of [
        { deviceId: tenants.hers.id },
        { userId: ada.id },
        { clientType: 'device', deviceId: tenants.hers.id },
      ]) {
        await expect(
          Dashboard.connect(application.url, { token, clientType: 'dashboard', ...more }),
        ).rejects.toMatchObject({ data: { status: 400 } });
      }
    }
    const before = await recordOf(tenants);
    await walk([...attempts(), () => tenants.line.hers.beat()], () => asked >= REQUESTS);
    expect(await recordOf(tenants)).toEqual(before);
    // What a stranger takes back is no other person's subscription.
    const version = await changeDevice(tenants.application.url, ada, tenants.hers);
    await eventually('the friend hears it', () => heardChange(friends, tenants.hers, version));
    expect(JSON.stringify(strangers.map(({ dashboards }) => dashboards.map((each) => each.heard)))).not.toContain(
      CANARY,
    );
    recordFigure({
      promise: 'P-07',
      shown: `Every message that a dashboard may send, and every other one of the document (${String(others.length)}), about a device of another tenant, by a stranger and by guests whose share ended.`,
      n: asked,
      figure: '0 answered, 0 changes',
      seed: SEED,
    });
  }, 600_000);
});

describe('P-07: what dashboards are told', () => {
  let causes: FeedCauses;
  let pairs = 0;

  beforeAll(async () => {
    causes = await FeedCauses.start(tenants, CANARY);
    const version = await changeDevice(tenants.application.url, tenants.ada, tenants.hers);
    const { message } = await hers.expect('a change', ({ message: { version: heard } }) => heard === version);
    for (const { account, dashboards } of strangers) {
      dashboards.push(await Dashboard.signedIn(tenants.application.url, account.accessToken, message.cursor));
    }
  });

  afterAll(() => {
    causes.stop();
  });

  /** Strangers hear of their own devices, last of all, and have heard of nothing else: now, and from a cursor of Ada's. */
  async function expectOnlyOwn(cursor: string): Promise<void> {
    for (const { account, own, dashboards } of strangers) {
      const version = await changeDevice(tenants.application.url, account, own);
      const returned = await Dashboard.signedIn(tenants.application.url, account.accessToken, cursor);
      for (const dashboard of [...dashboards, returned]) {
        await eventually('a stranger hears of their own device', () => heardChange(dashboard, own, version));
        expect(dashboard.heard.filter(({ payload }) => (payload as { deviceId?: string }).deviceId !== own.id)).toEqual(
          [],
        );
        expect(JSON.stringify(dashboard.heard)).not.toContain(CANARY);
        pairs += hers.heard.length;
      }
      returned.close();
    }
  }

  it('is all that the document has', () => {
    const documented = document.sentBy('server').flatMap((name) => document.typesOf(name));
    const caused = new Set(causes.all.flatMap(({ tells }) => tells));
    expect([...caused, ...TOLD_TO_ALL].sort()).toEqual(documented.sort());
  });

  it('is not told to strangers: not now, nor from the cursor of another', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const cursor = hers.received.at(-1)!.message.cursor;
      [hers, admins, ...strangers.flatMap(({ dashboards }) => dashboards)].forEach((dashboard) => {
        dashboard.heard.length = 0;
        dashboard.received.length = 0;
      });
      for (const cause of shuffled(causes.all)) {
        const since = [hers, admins].map(({ heard }) => heard.length);
        await causes.run(cause, (what) =>
          [
            ...[hers, admins].map(({ heard }, index) => heard.slice(since[index])),
            ...causes.dashboards.map(({ heard }) => heard),
          ]
            .flat()
            .some((one) => typeHeard(one) === what),
        );
      }
      await expectOnlyOwn(cursor);
      // It was there to be heard from that cursor: all but what is about devices that are deleted by now.
      const again = await Dashboard.signedIn(tenants.application.url, tenants.ada.accessToken, cursor);
      await eventually('Ada hears it again', () => {
        const ids = new Set(again.received.map(({ message }) => message.id));
        return hers.received.every(({ message: { id, deviceId } }) => deviceId !== tenants.hers.id || ids.has(id));
      });
      again.close();
    }
    recordFigure({
      promise: 'P-07',
      shown: `Every message that dashboards are told, caused for one tenant in ${String(causes.all.length)} ways, while those of a stranger and of a guest whose share ended listened.`,
      n: pairs,
      figure: '0 heard',
      seed: SEED,
    });
  }, 600_000);
});
