/**
 * What a repeat must agree with. Seen to fail: with a hash over path and body alone (another query replays), and with a
 * plain SHA-256 (a password in a body can be guessed from the record).
 */
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, createAdmin } from '../support/accounts.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { Sql } from '../support/sql.js';

let app: TestApp;
let sql: Sql;
let root: Account;

beforeAll(async () => {
  app = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(app.databaseUrl);
  root = await createAdmin(app, 'root');
});

afterAll(async () => {
  await sql.end();
  await app.stop();
});

const post = (path: string, body: unknown, key: string): Promise<Answer> =>
  request(app.url, 'POST', `/api/v1${path}`, {
    token: root.accessToken,
    body,
    headers: { 'idempotency-key': key },
  });

describe('a repeat', () => {
  it('is another request when its query differs', async () => {
    const key = randomUUID();
    const rows = { users: [{ email: 'import@example.com' }] };
    const first = await post('/users/import?mode=all', rows, key);
    expect([first.status, first.body.done]).toEqual([200, 1]);
    const again = await post('/users/import?mode=all', rows, key);
    expect([again.status, again.body.done]).toEqual([200, 1]);
    for (const query of ['?mode=per_row', '?mode=all&dryRun=true', '']) {
      const other = await post(`/users/import${query}`, rows, key);
      expect([query, other.status, other.body.code]).toEqual([query, 422, 'idempotency_key_reused']);
    }
  });

  it('is recognized by a hash that says nothing of the password in its body', async () => {
    const body = { email: 'elsewhere@example.com', password: root.password };
    expect((await post('/users/me/email', body, randomUUID())).status).toBe(202);
    const [row] = await sql.rows<{ request_hash: Buffer }>(
      `SELECT request_hash FROM idempotency_records WHERE route = 'POST /api/v1/users/me/email'`,
    );
    expect(row?.request_hash).toHaveLength(32);
    for (const text of [[{}, body], [{}, {}, body], [body], body]) {
      expect(row?.request_hash).not.toEqual(createHash('sha256').update(JSON.stringify(text)).digest());
    }
  });
});
