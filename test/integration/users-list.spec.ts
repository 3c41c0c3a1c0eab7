/**
 * How administrators find accounts. Seen to fail: with one pattern for all the words of `q`.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { accountList } from '../../src/features/users/user-list-sql.js';
import type { Account } from '../support/accounts.fixture.js';
import type { Answer } from '../support/rest.js';
import { type ManagedUser, type ManagedUserPage, UserAdminFixture } from '../support/user-admin.fixture.js';
import type { Sql } from '../support/sql.js';

let fixture: UserAdminFixture;
let sql: Sql;
let root: Account;
let ask: UserAdminFixture['request'];

beforeAll(async () => {
  fixture = await UserAdminFixture.start();
  ({ sql, root } = fixture);
  ask = fixture.request.bind(fixture);
}, 60_000);

afterAll(() => fixture.stop());

describe('Listing accounts', () => {
  const tag = randomUUID().slice(0, 8);
  beforeAll(async () => {
    await sql.rows(
      `INSERT INTO users (id, email, display_name, created_at, last_login_at, blocked_at)
       SELECT uuidv7(), '${tag}-' || n || '@example.com', 'Listed ' || (n % 3),
              '2026-01-01'::timestamptz + make_interval(days => n / 4),
              CASE WHEN n % 2 = 0 THEN '2026-06-01'::timestamptz + make_interval(days => n / 5) END,
              CASE WHEN n % 10 = 0 THEN now() END
       FROM generate_series(1, 40) n`,
    );
  });

  it.each(['', '-createdAt', 'lastLoginAt,-email', '-displayName,createdAt', 'role,-lastLoginAt,email'])(
    'pages through all of them in the order %p',
    async (sort) => {
      const all: ManagedUser[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Answer<ManagedUserPage> = await ask(
          root,
          'GET',
          `/users?q=${tag}&limit=7${sort && `&sort=${sort}`}${cursor && `&cursor=${cursor}`}`,
        );
        expect(page.status).toBe(200);
        all.push(...page.body.items);
        cursor = page.body.nextCursor;
      }
      expect(new Set(all.map(({ id }) => id)).size).toBe(40);
      const whole = await ask<ManagedUserPage>(root, 'GET', `/users?q=${tag}&limit=200${sort && `&sort=${sort}`}`);
      expect(all.map(({ id }) => id)).toEqual(whole.body.items.map(({ id }) => id));
    },
  );

  it('orders by each column in its own direction', async () => {
    const { body } = await ask<ManagedUserPage>(root, 'GET', `/users?q=${tag}&limit=200&sort=-displayName,email`);
    const wanted = [...body.items].sort(
      (a, b) => b.displayName.localeCompare(a.displayName) || (a.email < b.email ? -1 : 1),
    );
    expect(body.items.map(({ email }) => email)).toEqual(wanted.map(({ email }) => email));
  });

  it.each([
    ['status=blocked', 4],
    ['status=active', 36],
    ['role=ADMIN', 0],
    ['createdFrom=2026-01-03T00:00:00Z&createdTo=2026-01-04T00:00:00Z', 4],
    ['lastLoginFrom=2026-06-01T00:00:00Z', 20],
    ['lastLoginTo=2026-06-02T00:00:00Z', 2],
  ])('filters by %s', async (filter, count) => {
    const { body } = await ask<ManagedUserPage>(root, 'GET', `/users?q=${tag}&limit=200&${filter}`);
    expect(body.items).toHaveLength(count);
  });

  it('answers with the chosen members alone', async () => {
    const { body } = await ask<ManagedUserPage>(root, 'GET', `/users?q=${tag}-7@&fields=email,role`);
    expect(body.items).toEqual([{ email: `${tag}-7@example.com`, role: 'USER' }]);
  });

  it('finds who has all of the words, wherever they stand', async () => {
    const found = async (q: string): Promise<number> =>
      (await ask<ManagedUserPage>(root, 'GET', `/users?limit=200&q=${encodeURIComponent(q)}`)).body.items.length;
    expect(await found(`${tag}-7 example.com`)).toBe(1);
    expect(await found(`LISTED   ${tag}-7@`)).toBe(1);
    expect(await found(`${tag} nowhere`)).toBe(0);
    const { body } = await ask<ManagedUserPage>(
      root,
      'GET',
      `/users/search?q=${encodeURIComponent(`listed ${tag}-7@`)}`,
    );
    expect(body.items.map(({ email }) => email)).toEqual([`${tag}-7@example.com`]);
    const many = await ask(root, 'GET', `/users?q=${'a '.repeat(9)}`);
    expect([many.status, JSON.stringify(many.body.errors)]).toEqual([400, expect.stringContaining('at most 8 words')]);
  });

  it('refuses what cannot be sorted by, selected, or gone on from', async () => {
    const { body } = await ask<ManagedUserPage>(root, 'GET', '/users?limit=1');
    for (const query of [
      'sort=passwordHash',
      'sort=email,-email',
      'fields=passwordHash',
      `sort=email&cursor=${String(body.nextCursor)}`,
      'cursor=x',
    ]) {
      expect([query, (await ask(root, 'GET', `/users?${query}`)).status]).toEqual([query, 400]);
    }
  });

  it('finds people by any part of their names, the best match first', async () => {
    const { body } = await ask<ManagedUserPage>(root, 'GET', `/users/search?q=${tag}-3@`);
    expect(body.items.map(({ email }) => email)).toEqual([`${tag}-3@example.com`]);
    expect((await ask<ManagedUserPage>(root, 'GET', '/users/search?q=%25_')).body.items).toEqual([]);
  });

  it('looks into the index for names, not through the table', async () => {
    const { text, values } = accountList(
      { q: 'lovelace example.com' },
      [{ key: 'createdAt', descending: true }],
      null,
      51,
    );
    await sql.rows(
      `INSERT INTO users (id, email, display_name) SELECT uuidv7(), md5(n::text) || '@plan.example', md5((n + 1)::text)
       FROM generate_series(1, 20000) n`,
    );
    await sql.rows('VACUUM ANALYZE users');
    const plan = await sql.rows<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
    await sql.rows(`DELETE FROM users WHERE email LIKE '%@plan.example'`);
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('users_search_idx');
  });
});
