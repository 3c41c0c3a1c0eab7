/**
 * What a person does with a lock, from the first registration to the end of the account, through the whole application:
 * HTTP, mail, MQTT and sockets, with a lock that verifies its orders. Each step goes on where the last one ended.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { VirtualLock } from '../../tools/virtual-lock/virtual-lock.js';
import { type Account, NEW_PASSWORD, PASSWORD, uniqueEmail } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { sendCommand } from '../support/devices.fixture.js';
import { JourneyFixture } from '../support/journey.fixture.js';
import { eventually } from '../support/wait.js';

let home: JourneyFixture;
let ada: Account;
let grace: Account;
let lock: VirtualLock;
let door: string;
let organization: string;
let hers: Dashboard;
let guests: Dashboard;

beforeAll(async () => {
  home = await JourneyFixture.start();
}, 60_000);

afterAll(async () => {
  [hers, guests].forEach((dashboard: Dashboard | undefined) => dashboard?.close());
  await (lock as VirtualLock | undefined)?.stop();
  await home.stop();
});

const order = (who: Account, name: string): ReturnType<typeof sendCommand> =>
  sendCommand(home.application.url, who, door, { name }, { waitSeconds: 10 });
const hears = (dashboard: Dashboard, type: string, commandId: string): Promise<unknown> =>
  dashboard.expect(type, ({ message }) => message.type === type && message.commandId === commandId);

describe('A person', () => {
  it('registers, signs in, and stays signed in', async () => {
    ada = await home.join(uniqueEmail('ada'), PASSWORD);
    const { refreshToken } = ada;
    const refreshed = await home.ask<Account>(null, 'POST', '/auth/refresh', { refreshToken });
    expect(refreshed.body.refreshToken).not.toBe(refreshToken);
    ada = { ...ada, ...refreshed.body };
    expect((await home.ask(ada, 'GET', '/users/me')).body).toMatchObject({ id: ada.id, email: ada.email });
  });

  it('registers a lock, and sees it come online', async () => {
    const { status, body } = await home.ask<{ device: { id: string }; deviceToken: string }>(ada, 'POST', '/devices', {
      name: 'Front door',
      hardwareId: randomUUID(),
    });
    expect(status).toBe(201);
    door = body.device.id;
    hers = await Dashboard.signedIn(home.application.url, ada.accessToken);
    lock = await home.startLock(door, body.deviceToken);
    await hers.expect('that the lock is there', ({ event }) => event === 'device_connected');
    await eventually('the lock is online', async () => {
      const seen = (await home.ask(ada, 'GET', `/devices/${door}`)).body;
      return seen.status === 'online' && seen.lockState === 'locked' && seen.permission === 'admin';
    });
  });

  it('opens the door, and finds that in the feed and in the history', async () => {
    const { status, body } = await order(ada, 'unlock_door');
    expect([status, body.state, lock.lockState]).toEqual([200, 'EXECUTED', 'unlocked']);
    await hears(hers, 'command_executed', body.id);
    await hers.expect('that the bolt moved', ({ event }) => event === 'door_status_changed');
    const history = await home.ask<{ items: { type: string }[] }>(ada, 'GET', `/devices/${door}/events`);
    const types = history.body.items.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['device_registered', 'device_connected', 'command_executed']));
    expect(await home.statusOf(null, 'GET', `/devices/${door}`)).toBe(401);
  });

  it('invites another person by mail, who may operate the door and not administer it', async () => {
    organization = String((await home.ask(ada, 'POST', '/organizations', { name: 'House' })).body.id);
    const email = uniqueEmail('grace');
    const invitation = { email, role: 'OPERATOR' };
    expect(await home.statusOf(ada, 'POST', `/organizations/${organization}/invitations`, invitation)).toBe(201);
    const token = await home.mailedToken(email);
    grace = await home.join(email, PASSWORD);
    expect(await home.statusOf(grace, 'GET', `/devices/${door}`)).toBe(404);
    expect(await home.statusOf(grace, 'POST', '/organizations/invitations/accept', { token })).toBe(200);
    expect(await home.statusOf(ada, 'PATCH', `/devices/${door}`, { organizationId: organization })).toBe(200);

    expect((await home.ask(grace, 'GET', `/devices/${door}`)).body).toMatchObject({
      permission: 'control',
      owned: false,
    });
    guests = await Dashboard.signedIn(home.application.url, grace.accessToken);
    expect(await guests.request('subscribe_device', { deviceId: door })).toEqual({ ok: true });
    const { body } = await order(grace, 'lock_door');
    expect([body.state, lock.lockState]).toEqual(['EXECUTED', 'locked']);
    await Promise.all([hears(hers, 'command_executed', body.id), hears(guests, 'command_executed', body.id)]);
    expect((await home.ask(ada, 'GET', `/devices/${door}/commands/${body.id}`)).body).toMatchObject({
      issuerId: grace.id,
    });

    expect((await order(grace, 'restart_device')).status).toBe(403);
    expect(await home.statusOf(grace, 'PATCH', `/devices/${door}`, { name: 'Mine' })).toBe(403);
    expect(await home.statusOf(grace, 'DELETE', `/devices/${door}`)).toBe(403);
    expect(await home.statusOf(grace, 'PATCH', `/organizations/${organization}`, { name: 'Mine' })).toBe(403);
  });

  it('takes the permission back, and the other one neither sees nor hears the door any more', async () => {
    expect(await home.statusOf(ada, 'DELETE', `/organizations/${organization}/members/${grace.id}`)).toBe(204);
    expect(await home.statusOf(grace, 'GET', `/devices/${door}`)).toBe(404);
    expect((await order(grace, 'unlock_door')).status).toBe(404);
    const heard = guests.received.length;
    const { body } = await order(ada, 'unlock_door');
    await hears(hers, 'command_executed', body.id);
    expect(guests.received.slice(heard)).toEqual([]);
    expect(await guests.request('subscribe_device', { deviceId: door })).toMatchObject({ error: { status: 404 } });
  });

  it('changes the password, which ends the sessions elsewhere', async () => {
    const elsewhere = await home.signInAgain(ada);
    const change = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    expect(await home.statusOf(ada, 'POST', '/auth/password', change)).toBeLessThan(300);
    await eventually('the other session has ended', async () => {
      return (await home.statusOf(elsewhere, 'GET', '/users/me')) === 401;
    });
    await expect(home.signInAgain(ada, PASSWORD)).rejects.toThrow('invalid_credentials');
    ada = await home.signInAgain(ada, NEW_PASSWORD);
    expect((await order(ada, 'lock_door')).body.state).toBe('EXECUTED');
  });

  it('ends the account: not while an organization needs it, and then at once', async () => {
    const password = { password: NEW_PASSWORD };
    expect((await home.ask(ada, 'DELETE', '/users/me', password)).body).toMatchObject({ code: 'last_owner' });
    expect(await home.statusOf(ada, 'DELETE', `/organizations/${organization}`)).toBe(204);
    const last = await Dashboard.signedIn(home.application.url, ada.accessToken);
    expect(await home.statusOf(ada, 'DELETE', '/users/me', password)).toBe(204);
    await eventually('the dashboard is told', () => last.endReason === 'account_deleted');
    expect((await order(ada, 'unlock_door')).status).toBe(401);
    await expect(home.signInAgain(ada)).rejects.toThrow('invalid_credentials');
    expect(lock.lockState).toBe('locked');
  });
});
