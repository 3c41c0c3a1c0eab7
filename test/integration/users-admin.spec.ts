/**
 * What administrators do to one account. Seen to fail: without the lock in `hasOtherAdmin` (two
 * demotions leave no administrator), with the version left out of the condition, with sessions that outlive a block, with an
 * administrator whom only the guard looks at (each change of one who is blocked at that moment takes place).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  type Account,
  createAccount,
  createAdmin,
  insertAccount,
  PASSWORD,
  uniqueEmail,
} from '../support/accounts.fixture.js';
import { request } from '../support/rest.js';
import { type BulkAnswer, UserAdminFixture } from '../support/user-admin.fixture.js';
import type { TestApp } from '../support/test-app.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

let fixture: UserAdminFixture;
let application: TestApp;
let sql: Sql;
let root: Account;
let ada: Account;

beforeAll(async () => {
  fixture = await UserAdminFixture.start();
  ({ application, sql, root, ada } = fixture);
}, 60_000);

afterAll(() => fixture.stop());

const ask: UserAdminFixture['request'] = (...asked) => fixture.request(...asked);

const statusOf = async (id: string): Promise<string> => (await ask(root, 'GET', `/users/${id}`)).body.status;

describe('Managing an account', () => {
  it('is for administrators alone', async () => {
    const others: [string, string, unknown?][] = [
      ['GET', '/users'],
      ['GET', '/users/search?q=ada'],
      ['GET', '/users/export'],
      ['GET', `/users/${ada.id}`],
      ['GET', '/audit'],
      ['POST', '/users', { email: uniqueEmail('x') }],
      ['PATCH', `/users/${ada.id}`, { displayName: 'Me' }],
      ['PATCH', `/users/${ada.id}/role`, { role: 'ADMIN' }],
      ['POST', `/users/${root.id}/block`],
      ['POST', `/users/${root.id}/unblock`],
      ['DELETE', `/users/${root.id}`],
      ['POST', `/users/${root.id}/restore`],
      ['POST', '/users/bulk', { users: [{ email: uniqueEmail('x') }] }],
      ['DELETE', '/users/bulk', { ids: [root.id] }],
      ['POST', '/users/import', { users: [{ email: uniqueEmail('x') }] }],
    ];
    for (const [method, path, body] of others) {
      expect([path, (await ask(ada, method, path, body)).status]).toEqual([path, 403]);
    }
  });

  it('makes one whose owner gets a link, once for one idempotency key', async () => {
    const email = uniqueEmail('grace');
    const headers = { 'idempotency-key': randomUUID() };
    const made = await ask(root, 'POST', '/users', { email, displayName: 'Grace' }, headers);
    expect(made.headers.get('location')).toBe(`/api/v1/users/${made.body.id}`);
    const repeated = await ask(root, 'POST', '/users', { email, displayName: 'Grace' }, headers);
    expect([repeated.status, repeated.body]).toEqual([201, made.body]);
    const looked = await ask(root, 'GET', `/users/${made.body.id}`);
    expect(looked.body).toMatchObject({
      email,
      displayName: 'Grace',
      hasPassword: false,
      status: 'active',
      role: 'USER',
    });
    expect(await sql.rows(`SELECT purpose FROM one_time_tokens WHERE user_id = $1`, [made.body.id])).toEqual([
      { purpose: 'set_password' },
    ]);
    const taken = await ask(root, 'POST', '/users', { email: email.toUpperCase() });
    expect([taken.status, taken.body.code]).toEqual([409, 'email_taken']);
  });

  it('changes names, in the version that was looked at', async () => {
    const id = await fixture.createUser();
    const email = uniqueEmail('new');
    const changed = await ask(root, 'PATCH', `/users/${id}`, { email, username: null }, { 'if-match': '"1"' });
    expect([changed.status, changed.headers.get('etag'), changed.body.email]).toEqual([
      200,
      expect.stringMatching(/^"2-/),
      email,
    ]);
    const late = await ask(root, 'PATCH', `/users/${id}`, { displayName: 'Late' }, { 'if-match': '"1"' });
    expect([late.status, late.body.code]).toEqual([412, 'account_changed']);
    const taken = await ask(root, 'PATCH', `/users/${id}`, { email: ada.email });
    expect([taken.status, taken.body.code]).toEqual([409, 'email_taken']);
  });

  it('blocks at once, and lets in again', async () => {
    const eve = await createAccount(application.url, 'eve');
    expect((await ask(root, 'POST', `/users/${eve.id}/block`)).status).toBe(204);
    expect((await ask(eve, 'GET', '/users/me')).status).toBe(401);
    const login = { body: { identifier: eve.email, password: PASSWORD } };
    expect((await request(application.url, 'POST', '/api/v1/auth/login', login)).status).not.toBe(200);
    const again = await ask(root, 'POST', `/users/${eve.id}/block`);
    expect([again.status, again.body.code]).toEqual([409, 'account_state']);
    expect((await ask(root, 'POST', `/users/${eve.id}/unblock`)).status).toBe(204);
    expect((await request(application.url, 'POST', '/api/v1/auth/login', login)).status).toBe(200);
  });

  it('deletes softly, and restores', async () => {
    const eve = await createAccount(application.url, 'eve');
    expect((await ask(root, 'DELETE', `/users/${eve.id}`)).status).toBe(204);
    expect((await ask(eve, 'GET', '/users/me')).status).toBe(401);
    const login = { body: { identifier: eve.email, password: PASSWORD } };
    expect((await request(application.url, 'POST', '/api/v1/auth/login', login)).status).toBe(401);
    expect(await statusOf(eve.id)).toBe('deleted');
    expect((await ask(root, 'POST', `/users/${eve.id}/restore`)).status).toBe(204);
    expect((await request(application.url, 'POST', '/api/v1/auth/login', login)).status).toBe(200);
  });

  it('changes nothing when the role is what it was', async () => {
    const eve = await createAccount(application.url, 'eve');
    const { version } = (await ask(root, 'GET', `/users/${eve.id}`)).body;
    expect((await ask(root, 'PATCH', `/users/${eve.id}/role`, { role: 'USER' })).status).toBe(204);
    expect((await ask(root, 'PATCH', `/users/${root.id}/role`, { role: 'ADMIN' })).status).toBe(204);
    expect((await ask(eve, 'GET', '/users/me')).body.version).toBe(version);
    const stale = await ask(root, 'PATCH', `/users/${eve.id}/role`, { role: 'USER' }, { 'if-match': '"0"' });
    expect(stale.status).toBe(412);
  });

  it('says what is wrong with a number', async () => {
    for (const [path, most] of [
      ['/users?limit=abc', '200'],
      ['/users/search?q=ada&limit=abc', '50'],
    ] as const) {
      const { status, body } = await ask(root, 'GET', path);
      const detail = `\`limit\` must be a whole number between 1 and ${most}`;
      expect([status, body.detail, body.errors]).toEqual([400, detail, [{ detail, pointer: '/limit' }]]);
    }
  });

  it('answers 404 for an unknown id, and 400 for what is no id', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/block'],
      ['POST', '/restore'],
      ['DELETE', ''],
    ] as const) {
      expect((await ask(root, method, `/users/${randomUUID()}${path}`)).status).toBe(404);
      expect((await ask(root, method, `/users/no-id${path}`)).status).toBe(400);
    }
  });
});

describe('The last administrator', () => {
  it('cannot be demoted, blocked or deleted, by others or by themselves', async () => {
    const attempts = [
      () => ask(root, 'PATCH', `/users/${root.id}/role`, { role: 'USER' }),
      () => ask(root, 'POST', `/users/${root.id}/block`),
      () => ask(root, 'DELETE', `/users/${root.id}`),
      () => ask(root, 'DELETE', '/users/me', { password: PASSWORD }),
    ];
    for (const attempt of attempts) {
      const answer = await attempt();
      expect([answer.status, answer.body.code]).toEqual([409, 'last_admin']);
    }
    const batch = await ask<BulkAnswer>(root, 'DELETE', '/users/bulk', { ids: [root.id], mode: 'per_row' });
    expect(batch.body.results).toEqual([{ index: 0, status: 'refused', id: null, code: 'last_admin', errors: [] }]);
  });

  it('is who can sign in: one who never chose a password is none, and no reset locks the last one out', async () => {
    const guest = await fixture.createUser({ role: 'ADMIN' });
    const demoted = await ask(root, 'PATCH', `/users/${root.id}/role`, { role: 'USER' });
    expect([demoted.status, demoted.body.code]).toEqual([409, 'last_admin']);
    for (const means of ['link', 'one_time_password']) {
      const reset = await ask(root, 'PATCH', `/users/${root.id}/reset-password`, { means });
      expect([reset.status, reset.body.code]).toEqual([409, 'last_admin']);
      expect(reset.body.detail).toContain('POST /auth/password');
    }
    const login = { body: { identifier: root.email, password: PASSWORD } };
    expect((await request(application.url, 'POST', '/api/v1/auth/login', login)).status).toBe(200);
    expect((await ask(root, 'DELETE', `/users/${guest}`)).status).toBe(204);
  });

  it('may have the password reset once there is another one', async () => {
    const other = await createAdmin(application, 'other');
    expect((await ask(root, 'PATCH', `/users/${other.id}/reset-password`, { means: 'link' })).status).toBe(200);
    expect((await ask(root, 'DELETE', `/users/${other.id}`)).status).toBe(204);
  });

  it('is still there when administrators take each other’s role at the same moment', async () => {
    for (let round = 0; round < 10; round += 1) {
      const other = await createAdmin(application, 'other');
      const admins = `SELECT id FROM users WHERE role = 'ADMIN' AND blocked_at IS NULL AND deleted_at IS NULL`;
      const answers = await Promise.all([
        ask(root, 'PATCH', `/users/${other.id}/role`, { role: 'USER' }),
        ask(other, 'PATCH', `/users/${root.id}/role`, { role: 'USER' }),
      ]);
      const left = await sql.rows<{ id: string }>(admins);
      expect([left.length, answers.filter(({ status }) => status === 204).length]).toEqual([1, 1]);
      await sql.rows(`UPDATE users SET role = CASE WHEN id = $1 THEN 'ADMIN'::platform_role ELSE 'USER' END`, [
        root.id,
      ]);
      const signedIn = await request<{ accessToken: string }>(application.url, 'POST', '/api/v1/auth/login', {
        body: { identifier: root.email, password: PASSWORD },
      });
      root = { ...root, accessToken: signedIn.body.accessToken };
    }
  }, 60_000);
});

describe('An administrator who is blocked or demoted at that moment', () => {
  type Change = (target: string, self: string) => [method: string, path: string, body?: unknown];
  const changes: [string, Change][] = [
    ['makes no account', () => ['POST', '/users', { email: uniqueEmail('x') }]],
    ['changes none', (id) => ['PATCH', `/users/${id}`, { displayName: 'Theirs' }]],
    ['gives no role', (id) => ['PATCH', `/users/${id}/role`, { role: 'ADMIN' }]],
    ['blocks none', (id) => ['POST', `/users/${id}/block`]],
    ['unblocks none, nor the own one', (_id, self) => ['POST', `/users/${self}/unblock`]],
    ['deletes none', (id) => ['DELETE', `/users/${id}`]],
    ['restores none, nor the own one', (_id, self) => ['POST', `/users/${self}/restore`]],
    ['makes no batch of them', () => ['POST', '/users/bulk', { users: [{ email: uniqueEmail('x') }] }]],
    ['deletes no batch of them', (id) => ['DELETE', '/users/bulk', { ids: [id] }]],
    ['imports none', () => ['POST', '/users/import', { users: [{ email: uniqueEmail('x') }] }]],
    ['mails no link', (id) => ['PATCH', `/users/${id}/reset-password`, { means: 'link' }]],
    ['makes no one-time password', (id) => ['PATCH', `/users/${id}/reset-password`, { means: 'one_time_password' }]],
  ];

  /** Sends a change while another transaction makes `statement` about its administrator, and is about to commit. */
  async function during(statement: string, change: Change): Promise<{ answer: string; entries: number }> {
    const [{ id: target }, eve] = [
      await insertAccount(application),
      await insertAccount(application, { role: 'ADMIN' }),
    ];
    const other = await Sql.open(application.databaseUrl);
    await other.rows('BEGIN');
    await other.rows(statement, [eve.id]);
    let isAnswered = false;
    const sent = ask(eve, ...change(target, eve.id)).finally(() => {
      isAnswered = true;
    });
    await eventually('the change waits', async () => isAnswered || (await sql.lockWaits()) > 0);
    await other.rows('COMMIT');
    await other.end();
    const { status, body } = await sent;
    const done = await sql.rows(
      `SELECT 1 FROM audit_entries WHERE actor = $1 AND action LIKE 'user%' AND outcome = 'success'`,
      [`user:${eve.id}`],
    );
    return { answer: [status, body.reason ?? body.code].join(' '), entries: done.length };
  }

  it.each(changes)('%s', async (_what, change) => {
    const end = (column: string): string => `WITH ended AS (
        UPDATE sessions SET revoked_at = now(), revoked_reason = 'blocked' WHERE user_id = $1)
      UPDATE users SET ${column} = now() WHERE id = $1`;
    const column = change('', 'self')[1].includes('restore') ? 'deleted_at' : 'blocked_at';
    expect(await during(end(column), change)).toEqual({ answer: '401 blocked', entries: 0 });
  });

  it('is judged by the account itself, where a session was left', async () => {
    const [, rename] = changes[1]!;
    const refused = { answer: '403 forbidden', entries: 0 };
    expect(await during(`UPDATE users SET role = 'USER' WHERE id = $1`, rename)).toEqual(refused);
    expect(await during(`UPDATE users SET blocked_at = now() WHERE id = $1`, rename)).toEqual(refused);
  });

  it.each([
    ['POST', '/auth/signing-keys/rotate'],
    ['DELETE', '/auth/blocked-addresses/192.0.2.1'],
    ['POST', '/users/019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55/block'],
  ])('has no session for %s %s, although it is remembered for reading', async (method, path) => {
    const eve = await insertAccount(application, { role: 'ADMIN' });
    expect((await ask(eve, 'GET', '/auth/signing-keys')).status).toBe(200);
    await sql.rows('UPDATE sessions SET revoked_at = now() WHERE user_id = $1', [eve.id]);
    expect((await ask(eve, method, path)).status).toBe(401);
  });
});
