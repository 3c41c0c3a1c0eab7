/**
 * What an administrator does, through the whole application: the compiled command that makes the first one, HTTP, mail
 * and sockets. They manage accounts and see no doors, and the trail shows what they did. Each step goes on where the last
 * one ended.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../../tools/stack/paths.js';
import { type Account, NEW_PASSWORD, PASSWORD, signIn, uniqueEmail } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { registerDevice } from '../support/devices.fixture.js';
import { JourneyFixture } from '../support/journey.fixture.js';
import { eventually } from '../support/wait.js';

interface Page {
  readonly items: Record<string, unknown>[];
}

const ROOT_PASSWORD = 'seven brown doors stand open';

let house: JourneyFixture;
let root: Account;
let ada: Account;
let door: string;

beforeAll(async () => {
  house = await JourneyFixture.start();
  ada = await house.join(uniqueEmail('ada'), PASSWORD);
  door = (await registerDevice(house.application.url, ada)).id;
}, 60_000);

afterAll(() => house.stop());

const act = (method: string, rest: string, body?: unknown): Promise<number> =>
  house.statusOf(root, method, `/users/${ada.id}${rest}`, body);
const isSignedIn = async (who: Account): Promise<boolean> => (await house.statusOf(who, 'GET', '/users/me')) === 200;

describe('An administrator', () => {
  it('is made by a command, and signs in', async () => {
    const email = uniqueEmail('root');
    await promisify(execFile)(process.execPath, [join(ROOT, 'dist', 'tools', 'admin-create.js'), '--email', email], {
      env: {
        ...process.env,
        DATABASE_URL: house.application.databaseUrl,
        MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
        ADMIN_PASSWORD: ROOT_PASSWORD,
      },
      timeout: 25_000,
    });
    const tokens = await signIn(house.application.url, email, ROOT_PASSWORD);
    const { body } = await house.ask<{ id: string }>(tokens, 'GET', '/users/me');
    root = { ...tokens, id: body.id, email, password: ROOT_PASSWORD };
    expect(body).toMatchObject({ email, role: 'ADMIN' });
    expect(await house.statusOf(ada, 'GET', '/users')).toBe(403);
  });

  it('finds accounts, and makes one whose owner chooses the password', async () => {
    const found = await house.ask<Page>(root, 'GET', `/users?q=${encodeURIComponent(ada.email)}`);
    expect(found.body.items).toMatchObject([{ id: ada.id, status: 'active', role: 'USER' }]);
    const email = uniqueEmail('invited');
    expect(await house.statusOf(root, 'POST', '/users', { email, displayName: 'In Vited' })).toBe(201);
    const token = await house.mailedToken(email);
    await expect(signIn(house.application.url, email, PASSWORD)).rejects.toThrow('invalid_credentials');
    const chosen = { token, newPassword: PASSWORD };
    expect(await house.statusOf(null, 'POST', '/auth/reset-password', chosen)).toBeLessThan(300);
    await signIn(house.application.url, email, PASSWORD);
  });

  it('blocks an account, which is out on every line at once, and unblocks it', async () => {
    const dashboard = await Dashboard.signedIn(house.application.url, ada.accessToken);
    expect(await act('POST', '/block')).toBe(204);
    await eventually('the dashboard is told', () => dashboard.endReason === 'blocked');
    expect(await isSignedIn(ada)).toBe(false);
    expect(await house.statusOf(null, 'POST', '/auth/refresh', { refreshToken: ada.refreshToken })).toBe(401);
    await expect(house.signInAgain(ada)).rejects.toThrow('Signing in failed');
    expect(await act('POST', '/unblock')).toBe(204);
    ada = await house.signInAgain(ada);
    expect(await isSignedIn(ada)).toBe(true);
  });

  it('resets a password without learning one that stays in use', async () => {
    const { body } = await house.ask<{ oneTimePassword: string }>(root, 'PATCH', `/users/${ada.id}/reset-password`, {
      means: 'one_time_password',
    });
    expect(await isSignedIn(ada)).toBe(false);
    const login = { identifier: ada.email, password: body.oneTimePassword };
    const opened = await house.ask<{ changeToken: string }>(null, 'POST', '/auth/login', login);
    expect(opened.body).toMatchObject({ code: 'password_change_required' });
    const chosen = { changeToken: opened.body.changeToken, newPassword: NEW_PASSWORD };
    expect(await house.statusOf(null, 'POST', '/auth/complete-password-change', chosen)).toBe(200);
    ada = await house.signInAgain(ada, NEW_PASSWORD);
    expect((await house.ask<Page>(ada, 'GET', '/devices')).body.items).toMatchObject([{ id: door, owned: true }]);
  });

  it('takes accounts in and out as files', async () => {
    const email = uniqueEmail('imported');
    const file = `email,displayName\r\n${email},Im Ported\r\n${ada.email},Taken\r\n`;
    const imported = await house.ask(root, 'POST', '/users/import', file, { 'content-type': 'text/csv' });
    expect(imported.body).toMatchObject({ done: 1, refused: 1 });
    expect(await house.mailedToken(email)).toHaveLength(43);
    const exported = await house.ask<Record<string, unknown>[]>(root, 'GET', '/users/export?format=json');
    expect(exported.body.map((account) => account.email)).toEqual(
      expect.arrayContaining([email, ada.email, root.email]),
    );
    expect(JSON.stringify(exported.body)).not.toContain('$argon2');
  });

  it('opens no door and sees none', async () => {
    expect((await house.ask<Page>(root, 'GET', '/devices')).body.items).toEqual([]);
    for (const rest of ['', '/events', '/commands']) {
      expect([rest, await house.statusOf(root, 'GET', `/devices/${door}${rest}`)]).toEqual([rest, 404]);
    }
    const key = { 'idempotency-key': randomUUID() };
    expect(await house.statusOf(root, 'POST', `/devices/${door}/commands`, { name: 'unlock_door' }, key)).toBe(404);
    const dashboard = await Dashboard.signedIn(house.application.url, root.accessToken);
    expect(await dashboard.request('subscribe_device', { deviceId: door })).toMatchObject({ error: { status: 404 } });
    dashboard.close();
  });

  it('is read in the trail, by what they did, looked at and were refused', async () => {
    const { body } = await house.ask<Page>(root, 'GET', `/audit?actor=user:${root.id}&limit=100`);
    const did = body.items.map(({ action, outcome }) => `${String(action)} ${String(outcome)}`);
    expect(did).toEqual(
      expect.arrayContaining([
        'users_read success',
        'user_created success',
        'user_blocked success',
        'user_unblocked success',
        'user_password_reset success',
        'users_imported success',
        'users_exported success',
        'command_created failure',
        'device_history_read failure',
        'device_commands_read failure',
      ]),
    );
    const activity = await house.ask<Page>(ada, 'GET', '/users/me/activity');
    expect(activity.body.items).toContainEqual(expect.objectContaining({ action: 'user_blocked', byMe: false }));
  });

  it('deletes an account and brings it back, and stays the last one of their kind', async () => {
    expect(await act('DELETE', '')).toBe(204);
    await expect(house.signInAgain(ada)).rejects.toThrow('invalid_credentials');
    expect(await act('POST', '/restore')).toBe(204);
    ada = await house.signInAgain(ada);
    expect((await house.ask(root, 'POST', `/users/${root.id}/block`)).body).toMatchObject({ code: 'last_admin' });
  });
});
