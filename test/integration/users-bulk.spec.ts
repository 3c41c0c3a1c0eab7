/**
 * What administrators do to many accounts at once: batches, exports, imports. Seen to fail: without `FORMULA_START`
 * (the cell runs); with accounts locked `FOR UPDATE` (the deletion waits for inserts, which may wait for it); with an administrator
 * who is held while accounts are made (the block waits for all of them), or whose changes take no turns (each holds a connection).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseCsv } from '../../src/shared/csv/csv.js';
import { type Account, insertAccount, uniqueEmail } from '../support/accounts.fixture.js';
import { type Answer, request } from '../support/rest.js';
import {
  type BulkAnswer,
  type ManagedUser,
  type ManagedUserPage,
  UserAdminFixture,
} from '../support/user-admin.fixture.js';
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

describe('Many accounts at once', () => {
  it('are made or refused row by row, and a repeat answers the same', async () => {
    const email = uniqueEmail('twin');
    const users = [
      { email },
      { email: ada.email },
      { email: email.toUpperCase() },
      { email: uniqueEmail('b'), role: 'ADMIN' },
    ];
    const headers = { 'idempotency-key': randomUUID() };
    const made = await ask<BulkAnswer>(root, 'POST', '/users/bulk', { users, mode: 'per_row' }, headers);
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({ done: 2, refused: 2 });
    expect(made.body.results.map(({ code }) => code)).toEqual([null, 'email_taken', 'email_taken', null]);
    const repeat = await ask<BulkAnswer>(root, 'POST', '/users/bulk', { users, mode: 'per_row' }, headers);
    expect(repeat.body).toEqual(made.body);
    await ask(root, 'DELETE', `/users/${String(made.body.results[3]?.id)}`);
  });

  it('are refused one by one for their shape, too, and none of the others with them', async () => {
    const email = uniqueEmail('good');
    const users = [
      { email: 'bad' },
      { email },
      { role: 'SUPER' },
      { email: uniqueEmail('x'), passwordHash: 'x' },
      { email: uniqueEmail('root'), username: 'Administrator' },
      'nonsense',
    ];
    const headers = { 'idempotency-key': randomUUID() };
    const made = await ask<BulkAnswer>(root, 'POST', '/users/bulk', { users, mode: 'per_row' }, headers);
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({ done: 1, refused: 5 });
    expect(made.body.results.map(({ code }) => code)).toEqual([
      'invalid_row',
      null,
      'invalid_row',
      'invalid_row',
      'invalid_row',
      'invalid_row',
    ]);
    const pointers = made.body.results.map(({ errors }) => [...new Set(errors.map(({ pointer }) => pointer))]);
    expect(pointers).toEqual([['/email'], [], ['/email', '/role'], ['/passwordHash'], ['/username'], ['']]);
    expect((await ask<BulkAnswer>(root, 'POST', '/users/bulk', { users, mode: 'per_row' }, headers)).body).toEqual(
      made.body,
    );
    const all = await ask(root, 'POST', '/users/bulk', { users });
    expect([all.status, (all.body.errors as { pointer: string }[]).map(({ pointer }) => pointer)]).toEqual([
      400,
      expect.arrayContaining(['/users/0/email', '/users/2/role', '/users/3/passwordHash', '/users/5']),
    ]);
  });

  it('are all refused when one is, by default', async () => {
    const email = uniqueEmail('none');
    const answer = await ask(root, 'POST', '/users/bulk', { users: [{ email }, { email: ada.email }] });
    expect([answer.status, answer.body.errors]).toEqual([422, [{ detail: 'email_taken', pointer: '/users/1' }]]);
    expect((await ask<ManagedUserPage>(root, 'GET', `/users?q=${email}`)).body.items).toEqual([]);
  });

  it('can be a thousand with mails, and not one more', async () => {
    const tag = randomUUID().slice(0, 8);
    const users = Array.from({ length: 1_000 }, (_, n) => ({
      email: `${tag}-${String(n)}@example.com`,
      username: `u-${tag}-${String(n)}`,
      displayName: 'x'.repeat(100),
    }));
    const made = await ask<BulkAnswer>(root, 'POST', '/users/bulk', { users });
    expect(made.body).toMatchObject({ done: 1_000, refused: 0 });
    const ids = made.body.results.map(({ id }) => id);
    expect(await sql.rows(`SELECT count(*)::int FROM one_time_tokens WHERE user_id = ANY ($1::uuid[])`, [ids])).toEqual(
      [{ count: 1_000 }],
    );
    const gone = await ask<BulkAnswer>(root, 'DELETE', '/users/bulk', {
      ids: [...ids.slice(1), randomUUID()],
      mode: 'per_row',
    });
    expect(gone.body).toMatchObject({ done: 999, refused: 1 });
    expect(gone.body.results.at(-1)).toMatchObject({ code: 'user_not_found' });
    expect((await ask(root, 'POST', '/users/bulk', { users: [...users, { email: uniqueEmail('x') }] })).status).toBe(
      400,
    );
  }, 60_000);
});

describe('A deletion of many accounts', () => {
  it('does not wait for an insert that refers to one of them, nor makes it wait', async () => {
    const ids = [await fixture.createUser(), await fixture.createUser()].sort();
    const holder = await Sql.open(application.databaseUrl);
    await holder.rows('BEGIN');
    // What a foreign key takes.
    await holder.rows('SELECT 1 FROM users WHERE id = $1 FOR KEY SHARE', [ids[1]]);
    const gone = ask<BulkAnswer>(root, 'DELETE', '/users/bulk', { ids });
    await expect(Promise.race([gone, pause(5_000, null, { ref: false })])).resolves.toMatchObject({
      status: 200,
      body: { done: 2 },
    });
    await holder.rows('COMMIT');
    await holder.end();
  });
});

describe('Fifteen changes of one administrator at once', () => {
  /** Sends a change fifteen times while another transaction holds it up. @returns what ends that, and says how many waited. */
  async function heldUp(
    [statement, values]: [string, unknown[]],
    [admin, ...change]: Parameters<UserAdminFixture['request']>,
  ): Promise<() => Promise<{ waiting: number; statuses: Set<number> }>> {
    const holder = await Sql.open(application.databaseUrl);
    await holder.rows('BEGIN');
    await holder.rows(statement, values);
    const answers = Array.from({ length: 15 }, () => ask(admin, ...change));
    await eventually('one waits', async () => (await sql.lockWaits()) > 0);
    // Those that take no turn come to wait in this time, too.
    await pause(200);
    const waiting = await sql.lockWaits();
    return async () => {
      await holder.rows('ROLLBACK');
      await holder.end();
      return { waiting, statuses: new Set((await Promise.all(answers)).map(({ status }) => status)) };
    };
  }

  it('take turns, and only the first holds a connection', async () => {
    const id = await fixture.createUser();
    const end = await heldUp(
      ['SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [id]],
      [root, 'PATCH', `/users/${id}`, { displayName: 'Theirs' }],
    );
    expect(await end()).toEqual({ waiting: 1, statuses: new Set([200]) });
  });

  it.each([
    ['dry runs', '/users/import?dryRun=true', (email: string) => ({ users: [{ email }] })],
    ['new accounts', '/users', (email: string) => ({ email })],
  ])('do not hold off the block of that administrator: %s', async (_what, path, body) => {
    const eve = await insertAccount(application, { role: 'ADMIN' });
    const email = uniqueEmail('held');
    const end = await heldUp(
      [`INSERT INTO users (id, email, display_name) VALUES (gen_random_uuid(), $1, '')`, [email]],
      [eve, 'POST', path, body(email)],
    );
    const block = ask(root, 'POST', `/users/${eve.id}/block`);
    const blocked = await Promise.race([block, pause(3_000, { status: 'it waits' }, { ref: false })]);
    expect([blocked.status, await end()]).toEqual([204, { waiting: 1, statuses: new Set([401]) }]);
    expect(await sql.rows('SELECT 1 FROM users WHERE email = $1', [email])).toEqual([]);
  });
});

describe('Files of accounts', () => {
  const csv = (text: string, query = ''): Promise<Answer<Record<string, never>>> =>
    request(application.url, 'POST', `/api/v1/users/import${query}`, {
      token: root.accessToken,
      body: text,
      headers: { 'content-type': 'text/csv' },
    });

  it('are exported without a formula in a cell, and with every account that matches', async () => {
    const id = await fixture.createUser({ displayName: '=cmd|"/c calc"!A1' });
    const response = await fetch(`${application.url}/api/v1/users/export?format=csv&status=active`, {
      headers: { authorization: `Bearer ${root.accessToken}` },
    });
    expect(response.headers.get('content-type')).toMatch(/^text\/csv/);
    expect(response.headers.get('content-disposition')).toContain('users.csv');
    const [header, ...records] = parseCsv(await response.text());
    const column = header?.cells.indexOf('displayName') ?? -1;
    expect(records.find(({ cells }) => cells[0] === id)?.cells[column]).toBe(`'=cmd|"/c calc"!A1`);
    const [{ count } = { count: 0 }] = await sql.rows<{ count: number }>(
      'SELECT count(*)::int FROM users WHERE deleted_at IS NULL AND blocked_at IS NULL',
    );
    expect(records).toHaveLength(count);
    const json = await ask<ManagedUser[]>(root, 'GET', '/users/export?format=json&status=active');
    expect(json.body).toHaveLength(count);
  });

  it('are imported line by line, after a dry run that leaves nothing', async () => {
    const [good, other] = [uniqueEmail('import'), uniqueEmail('import')];
    const file = `email,displayName,role\r\n${good},"Lovelace, ""Ada""",\r\nno address,,\r\n${ada.email},,\r\n${other},,KING\r\n`;
    const dry = await csv(file, '?dryRun=true');
    expect(dry.body).toMatchObject({ dryRun: true, done: 1, refused: 3 });
    expect((await ask<ManagedUserPage>(root, 'GET', `/users?q=${good}`)).body.items).toEqual([]);
    const real = await csv(file);
    expect(real.body).toMatchObject({ dryRun: false, done: 1, refused: 3 });
    expect(real.body.lines).toMatchObject([
      { line: 2, status: 'done', id: expect.any(String), errors: [] },
      { line: 3, status: 'refused', errors: [{ pointer: '/email' }] },
      { line: 4, status: 'refused', errors: [{ detail: 'email_taken', pointer: '/email' }] },
      { line: 5, status: 'refused', errors: [{ pointer: '/role' }] },
    ]);
    expect((await ask<ManagedUserPage>(root, 'GET', `/users?q=${good}`)).body.items).toMatchObject([
      { displayName: 'Lovelace, "Ada"' },
    ]);
    expect((await csv(file.replaceAll('import', 'second'), '?mode=all')).status).toBe(422);
  });

  it('are refused as a whole when they cannot be read, are too large, or come to another route', async () => {
    expect((await csv('email\r\n"open')).status).toBe(422);
    expect((await csv('email,mail\r\na@example.com,b\r\n')).status).toBe(422);
    expect((await csv('email\r\n' + 'x'.repeat(1_048_576))).status).toBe(413);
    const elsewhere = await request(application.url, 'POST', '/api/v1/users', {
      token: root.accessToken,
      body: 'email',
      headers: { 'content-type': 'text/csv' },
    });
    expect(elsewhere.status).toBe(415);
  });
});
