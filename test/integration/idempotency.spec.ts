/**
 * What a repeat must agree with. Seen to fail: with a hash over path and body alone (another query replays), with a plain
 * SHA-256 (a password in a body can be guessed from the record), and with a hash of what was sent instead of what was read.
 */
import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, createAccount, createAdmin, uniqueEmail } from '../support/accounts.fixture.js';
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

const post = (
  path: string,
  body: unknown,
  key: string,
  { token = root.accessToken, type = 'application/json' } = {},
): Promise<Answer> =>
  request(app.url, 'POST', `/api/v1${path}`, {
    token,
    body,
    headers: { 'idempotency-key': key, 'content-type': type },
  });
const email = uniqueEmail('repeat');
const hardwareId = randomUUID();

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

  it.each<[string, string, object, object, object]>([
    ['an address in another case', '/users', { email }, { email: email.toUpperCase() }, { email: `a${email}` }],
    [
      'quotes around a name',
      '/users',
      { email: 'ann@x.example' },
      { email: '"ann"@x.example' },
      { email: 'al@x.example' },
    ],
    ['a decomposed name', '/organizations', { name: 'T\u00fcr' }, { name: ' Tu\u0308r' }, { name: 'Tur' }],
    [
      'another case of a time zone and of hardware',
      '/devices',
      { name: 'Door', hardwareId, timeZone: 'Europe/Berlin' },
      { name: 'Door ', hardwareId: hardwareId.toUpperCase(), timeZone: 'europe/berlin' },
      { name: 'Door', hardwareId, timeZone: 'Europe/Vienna' },
    ],
    [
      'rows with an address in another case',
      '/users/bulk',
      { users: [{ email: `bulk-${email}`, role: 'USER' }, { email: 'none' }], mode: 'per_row' },
      { users: [{ role: 'USER', email: `Bulk-${email}` }, { email: 'NONE' }], mode: 'per_row' },
      { users: [{ email: `bulk-${email}`, role: 'ADMIN' }, { email: 'none' }], mode: 'per_row' },
    ],
  ])('is one with %s', async (_name, path, first, same, other) => {
    const key = randomUUID();
    const made = await post(path, first, key);
    expect(made.status).toBeLessThan(300);
    const again = await post(path, same, key);
    expect([again.status, { ...again.body, deviceToken: 0 }]).toEqual([made.status, { ...made.body, deviceToken: 0 }]);
    const refused = await post(path, other, key);
    expect([refused.status, refused.body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('is one with an id in capitals in its body, also where the first one took the permission', async () => {
    const { id: userId } = await createAccount(app.url);
    const organization = await post('/organizations', { name: 'House' }, randomUUID());
    const path = `/organizations/${String(organization.body.id)}`;
    await sql.rows(`INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'MANAGER')`, [
      organization.body.id,
      userId,
    ]);
    const key = randomUUID();
    expect((await post(`${path}/transfer`, { userId }, key)).status).toBe(204);
    expect((await post(`${path}/transfer`, { userId: userId.toUpperCase() }, key)).status).toBe(204);
    expect((await post(`${path}/transfer`, { userId: root.id }, key)).body.code).toBe('idempotency_key_reused');
  });

  it('of an import is one with the same rows, however the file separates them', async () => {
    const [key, csv] = [randomUUID(), { type: 'text/csv' }];
    const row = `import-${email}`;
    const first = await post('/users/import', `email,role\n${row},USER\n`, key, csv);
    expect([first.status, first.body.done]).toEqual([200, 1]);
    const again = await post('/users/import', `\uFEFFEmail;Role\r\n${row.toUpperCase()};USER\r\n`, key, csv);
    expect([again.status, again.body.done]).toEqual([200, 1]);
    const other = await post('/users/import', `email,role\n${row},ADMIN\n`, key, csv);
    expect(other.body.code).toBe('idempotency_key_reused');
  });
});
