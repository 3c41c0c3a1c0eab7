/**
 * What becomes of a lock from its maker to its second owner, through the whole application: loaded and claimed, activated by
 * its code, lent for a week, closed by its schedule, and handed on. The lock verifies its orders all the time.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { VirtualLock } from '../../tools/virtual-lock/virtual-lock.js';
import { type Account, insertAccount, PASSWORD, uniqueEmail } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { sendCommand } from '../support/devices.fixture.js';
import { JourneyFixture } from '../support/journey.fixture.js';
import { request } from '../support/rest.js';
import { EVERY_DAY } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';

const WEEK_MS = 7 * 86_400_000;

interface Share {
  readonly id: string;
  readonly state: string;
}

let home: JourneyFixture;
let ada: Account;
let grace: Account;
let heir: Account;
let lock: VirtualLock;
let door: string;
const tokens: string[] = [];
let share: Share;
let guests: Dashboard;

beforeAll(async () => {
  home = await JourneyFixture.start();
  ada = await home.join(uniqueEmail('ada'), PASSWORD);
}, 60_000);

afterAll(async () => {
  (guests as Dashboard | undefined)?.close();
  await (lock as VirtualLock | undefined)?.stop();
  await home.stop();
});

const order = (who: Account, name: string): ReturnType<typeof sendCommand> =>
  sendCommand(home.application.url, who, door, { name }, { waitSeconds: 10 });
const seenBy = (who: Account): Promise<number> => home.statusOf(who, 'GET', `/devices/${door}`);
/** Open from now on for twelve hours a day, or in the other twelve. */
function halfOfTheDay(isOpen: boolean): object {
  const at = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 13) + ':00';
  const [from, until] = isOpen ? [at(-1), at(11)] : [at(6), at(12)];
  return { timeZone: 'UTC', windows: [{ days: EVERY_DAY, from, until }] };
}

/** What a person does at the lock: it gets another token than anyone has had before, and comes online with it. */
async function activate(who: Account, code: string): Promise<VirtualLock> {
  const { status, body } = await home.ask<{ deviceToken: string; orderKeys: object[] }>(
    null,
    'POST',
    '/devices/activate',
    { deviceId: door, code },
  );
  expect([status, body.orderKeys.length > 0]).toEqual([200, true]);
  expect(tokens).not.toContain(body.deviceToken);
  tokens.push(body.deviceToken);
  const activated = await home.startLock(door, body.deviceToken);
  await eventually('the lock is online', async () => {
    return (await home.ask(who, 'GET', `/devices/${door}`)).body.status === 'online';
  });
  return activated;
}

describe('A lock', () => {
  it('is loaded by its maker, and claimed by who has its code', async () => {
    const maker = await insertAccount(home.application, { name: 'maker', role: 'MAKER' });
    const hardwareId = `aa:${randomUUID()}`;
    const { body } = await home.ask<{ results: { deviceId: string; claimCode: string; deviceToken: string }[] }>(
      maker,
      'POST',
      '/devices/provision',
      { devices: [{ hardwareId, name: 'Model One' }] },
    );
    const [loaded] = body.results;
    door = loaded?.deviceId ?? '';
    tokens.push(loaded?.deviceToken ?? '');
    const claim = { code: loaded?.claimCode.toLowerCase().replaceAll('-', ' '), name: 'Front door' };
    const claimed = await home.ask<{ device: { id: string; owned: boolean } }>(ada, 'POST', '/devices/claim', claim);
    expect([claimed.status, claimed.body.device]).toMatchObject([201, { id: door, owned: true, name: 'Front door' }]);
    expect((await home.ask(ada, 'POST', '/devices/claim', claim)).body.code).toBe('invalid_claim_code');
    expect(await seenBy(await home.join(uniqueEmail('other'), PASSWORD))).toBe(404);
  });

  it('is activated by the code of its owner, which gives it another token than its maker knows', async () => {
    const { body } = await home.ask<{ activation: { code: string } }>(ada, 'POST', `/devices/${door}/activation-code`);
    lock = await activate(ada, body.activation.code);
    expect((await order(ada, 'unlock_door')).body.state).toBe('EXECUTED');
  });

  it('is lent for a week to a person who had no account', async () => {
    const email = uniqueEmail('grace');
    const until = new Date(Date.now() + WEEK_MS).toISOString();
    const terms = { email, permission: 'control', until, schedule: halfOfTheDay(true) };
    const given = await home.ask<Share>(ada, 'POST', `/devices/${door}/shares`, terms);
    expect([given.status, given.body.state]).toEqual([201, 'open']);
    share = given.body;
    const token = await home.mailedToken(email);
    grace = await home.join(email, PASSWORD);
    expect(await seenBy(grace)).toBe(404);
    expect(await home.statusOf(grace, 'POST', '/shares/accept', { token })).toBe(204);
    expect((await order(grace, 'lock_door')).body.state).toBe('EXECUTED');
    expect((await order(grace, 'restart_device')).status).toBe(403);
    guests = await Dashboard.signedIn(home.application.url, grace.accessToken);
    expect(await guests.request('subscribe_device', { deviceId: door })).toEqual({ ok: true });
    const check = { needs: 'control', email, at: until };
    expect((await home.ask(ada, 'POST', `/devices/${door}/access-check`, check)).body).toMatchObject({
      allowed: false,
      sources: [{ source: 'share', state: 'over' }],
    });
  });

  it('is closed to the guest outside the schedule, and heard of no more', async () => {
    const schedule = halfOfTheDay(false);
    const changed = await home.ask<Share>(ada, 'PATCH', `/devices/${door}/shares/${share.id}`, { schedule });
    expect(changed.body.state).toBe('closed');
    expect([await seenBy(grace), (await order(grace, 'unlock_door')).status]).toEqual([404, 404]);
    await guests.expect('the change of her share', ({ message }) => message.type === 'share_changed');
    const heard = guests.received.length;
    expect((await order(ada, 'unlock_door')).body.state).toBe('EXECUTED');
    expect(guests.received.slice(heard)).toEqual([]);
    const held = await home.ask<{ items: Share[] }>(grace, 'GET', '/shares');
    expect(held.body.items).toMatchObject([{ id: share.id, state: 'closed', deviceName: 'Front door' }]);
  });

  it('is handed on: the new owner sees nothing older, and nobody else has a part in it any more', async () => {
    const email = uniqueEmail('heir');
    expect(await home.statusOf(ada, 'POST', `/devices/${door}/transfer`, { email })).toBe(201);
    const token = await home.mailedToken(email);
    heir = await home.join(email, PASSWORD);
    expect(await seenBy(heir)).toBe(404);
    const accepted = await home.ask<{ activation: { code: string } }>(heir, 'POST', '/devices/transfers/accept', {
      token,
    });
    expect(accepted.status).toBe(200);
    expect([await seenBy(heir), await seenBy(ada), await seenBy(grace)]).toEqual([200, 404, 404]);
    expect((await home.ask<{ items: Share[] }>(grace, 'GET', '/shares')).body.items).toEqual([]);
    const commands = await home.ask<{ items: object[] }>(heir, 'GET', `/devices/${door}/commands`);
    expect(commands.body.items).toEqual([]);

    // Its token may have been seen: the lock stays out until it is activated again.
    const heartbeat = { boot: randomUUID(), uptimeMs: 1_000 };
    const spoken = await request(home.application.url, 'POST', `/api/v1/devices/${door}/heartbeat`, {
      token: tokens.at(-1) ?? '',
      body: heartbeat,
    });
    expect(spoken.status).toBe(401);
    await lock.stop();
    lock = await activate(heir, accepted.body.activation.code);
    expect((await order(heir, 'unlock_door')).body.state).toBe('EXECUTED');
    const history = await home.ask<{ items: { type: string }[] }>(heir, 'GET', `/devices/${door}/events`);
    const types = history.body.items.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['device_transferred', 'command_executed']));
    expect(types.filter((type) => ['share_granted', 'share_revoked'].includes(type))).toEqual([]);
  });
});
