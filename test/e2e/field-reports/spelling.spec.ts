/**
 * Equal things, spelled differently, through the whole application with a real mail server. Each was reported of another
 * product, and every test here fails on a build that keeps and compares what was typed.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../../../tools/stack/paths.js';
import { type Account, createAdmin, PASSWORD, uniqueEmail } from '../../support/accounts.fixture.js';
import { AuthFixture } from '../../support/auth.fixture.js';
import { tokenIn } from '../../support/mail-server.js';
import { type Answer, request } from '../../support/rest.js';

const MIGRATIONS = [
  '20261129230600_one_spelling',
  '20261129230601_one_hardware_id',
  '20261130150100_plain_local_parts',
].map((name) => join(ROOT, 'prisma', 'migrations', name, 'migration.sql'));
const OPERATIONS = join(ROOT, 'docs', 'operations.md');

interface Body {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly timeZone: string;
  readonly code: string;
  readonly detail: string;
  readonly items: { readonly id: string; readonly name: string; readonly email: string }[];
  readonly errors: { readonly detail: string; readonly pointer: string }[];
  readonly results?: { readonly code: string | null }[];
  readonly device: { readonly id: string; readonly name: string; readonly room: string; readonly timeZone: string };
}

let fixture: AuthFixture;
let ada: Account;

beforeAll(async () => {
  fixture = await AuthFixture.start();
  ada = await createAdmin(fixture.application, 'ada');
}, 60_000);

afterAll(() => fixture.stop());

const ask = (
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<Body>> =>
  request<Body>(fixture.application.url, method, `/api/v1${path}`, {
    token: ada.accessToken,
    headers,
    ...(body === undefined ? {} : { body }),
  });
const register = (email: string, from = '192.0.2.1'): ReturnType<typeof fixture.post<Body>> =>
  fixture.post<Body>('/auth/register', { email, password: PASSWORD }, { from });
const newDevice = (members: object): Promise<Answer<Body>> =>
  ask('POST', '/devices', { name: 'Front door', hardwareId: randomUUID(), ...members });

describe('An e-mail address', () => {
  it.each([
    ['a zero-width space', '\u200b'],
    ['a right-to-left override', '\u202e'],
    ['a soft hyphen', '\u00ad'],
  ])('with %s makes no account, and opens no session', async (_name, character) => {
    const email = `${ada.email.slice(0, 2)}${character}${ada.email.slice(2)}`;
    const { status, body } = await register(email);
    expect([status, body.errors]).toEqual([
      400,
      [{ detail: '`email` must not contain invisible characters', pointer: '/email' }],
    ]);
    expect((await ask('POST', '/users', { email })).status).toBe(400);
    expect([400, 401]).toContain((await fixture.login(email, PASSWORD, { from: '192.0.2.2' })).status);
  });

  it('is one with its domain in letters and in Punycode, wherever it is given', async () => {
    const label = randomUUID().slice(0, 8);
    const typed = `Grace@B\u00dccher-${label}.example`;
    const made = await register(typed, '192.0.2.3');
    expect(made.status).toBe(201);
    expect(made.body.email).toMatch(/^grace@xn--bcher-[a-z0-9-]+\.example$/);
    for (const again of [made.body.email, typed, typed.normalize('NFD'), made.body.email.toUpperCase()]) {
      expect((await ask('POST', '/users', { email: again })).body.code).toBe('email_taken');
      expect((await fixture.login(again, PASSWORD, { from: '192.0.2.4' })).status).toBe(200);
    }
    for (const q of [`b\u00fccher-${label}`, typed, made.body.email, `bu\u0308cher-${label}.example`]) {
      const found = (await ask('GET', `/users?q=${encodeURIComponent(q)}`)).body.items;
      expect(found.map(({ id }) => id)).toEqual([made.body.id]);
    }
    const organization = await ask('POST', '/organizations', { name: 'Books' });
    const invite = (email: string): Promise<Answer<Body>> =>
      ask('POST', `/organizations/${organization.body.id}/invitations`, { email, role: 'VIEWER' });
    const [first, second] = [await invite(typed), await invite(made.body.email)];
    expect([first.body.email, second.body.email]).toEqual([made.body.email, made.body.email]);
    expect((await ask('GET', `/organizations/${organization.body.id}/invitations`)).body.items).toHaveLength(1);
  });

  it('is one with quotes that mean nothing, and refused with others, wherever it is given', async () => {
    const name = uniqueEmail('quoted').replace('@example.com', '');
    const plain = `${name}@example.com`;
    const quoted = [`"${name}"@example.com`, `"\\${name}"@Example.com`];
    const made = await register(quoted[0] ?? '', '192.0.2.7');
    expect([made.status, made.body.email]).toEqual([201, plain]);
    const organization = (await ask('POST', '/organizations', { name: 'Quotes' })).body.id;
    const invite = (email: string): Promise<Answer<Body>> =>
      ask('POST', `/organizations/${organization}/invitations`, { email, role: 'VIEWER' });
    for (const email of quoted) {
      expect((await register(email, '192.0.2.8')).body.code).toBe('email_taken');
      expect((await ask('POST', '/users', { email })).body.code).toBe('email_taken');
      expect((await ask('POST', '/users/bulk', { mode: 'per_row', users: [{ email }] })).body.results?.[0]?.code).toBe(
        'email_taken',
      );
      expect((await invite(email)).body.email).toBe(plain);
      expect((await fixture.login(email, PASSWORD, { from: '192.0.2.9' })).status).toBe(200);
    }
    const meant = `"${name} x"@example.com`;
    const answers = [
      await register(meant, '192.0.2.8'),
      await ask('POST', '/users', { email: meant }),
      await ask('POST', '/users/me/email', { email: meant, password: PASSWORD }),
      await invite(meant),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  });

  it('is mailed to as it is kept: a Kelvin sign is the letter K in both', async () => {
    const plain = uniqueEmail('kay');
    const asked = await ask('POST', '/users/me/email', { email: plain.replace('k', '\u212a'), password: PASSWORD });
    expect(asked.status).toBe(202);
    const token = tokenIn(await fixture.mails.nextTo(plain));
    expect((await fixture.post('/auth/email/confirm', { token })).status).toBe(204);
    const rows = await fixture.sql.rows('SELECT email FROM users WHERE id = $1', [ada.id]);
    expect(rows).toEqual([{ email: plain }]);
    const { body } = await fixture.login(plain, PASSWORD, { from: '192.0.2.5' });
    ada = { ...ada, email: plain, accessToken: body.accessToken };
  });
});

describe('A time zone and a language', () => {
  it('are kept as their registries spell them', async () => {
    const { body } = await newDevice({ timeZone: 'europe/berlin' });
    expect(body.device.timeZone).toBe('Europe/Berlin');
    expect((await ask('PATCH', `/devices/${body.device.id}`, { timeZone: 'ASIA/KOLKATA' })).body.timeZone).toBe(
      'Asia/Kolkata',
    );
    expect((await ask('PATCH', `/devices/${body.device.id}`, { timeZone: '+05:30' })).status).toBe(400);
    const preferences = await ask('PATCH', '/users/me/preferences', {
      language: 'DE-ch',
      quietHours: { from: '22:00', until: '07:00', timeZone: 'america/port-au-prince' },
    });
    expect(preferences.body).toMatchObject({ language: 'de-CH', quietHours: { timeZone: 'America/Port-au-Prince' } });
  });
});

describe('Text', () => {
  it('is found however its accents were typed, and kept composed', async () => {
    const word = `Z\u00fcrich-${randomUUID().slice(0, 8)}`;
    const typed = word.normalize('NFD');
    const { body } = await newDevice({ name: ` ${typed}`, room: `${typed}\u00a0` });
    expect([body.device.name, body.device.room]).toEqual([word, word]);
    for (const query of [`q=${word}`, `q=${typed}`, `room=${word}`, `room=${typed}`]) {
      const found = (await ask('GET', `/devices?${encodeURI(query)}`)).body.items;
      expect(found.map(({ id }) => id)).toEqual([body.device.id]);
    }
    expect((await ask('POST', '/organizations', { name: typed })).body.name).toBe(word);
    const person = await ask('POST', '/users', { email: uniqueEmail('z'), displayName: typed });
    for (const q of [word, typed]) {
      const found = (await ask('GET', `/users/search?q=${encodeURIComponent(q)}`)).body.items;
      expect(found.map(({ id }) => id)).toEqual([person.body.id]);
    }
  });
});

describe('A request', () => {
  it('is repeated with its members in another order, with escapes, and the id in its path in capitals', async () => {
    const { id } = (await newDevice({})).body.device;
    const headers = { 'idempotency-key': randomUUID() };
    const first = '{"name":"request_snapshot","payload":{"quality":"low"}}';
    const made = await ask('POST', `/devices/${id}/commands`, first, { ...headers });
    expect(made.status).toBe(202);
    const send = (body: string, path = id): Promise<Answer<Body>> =>
      ask('POST', `/devices/${path}/commands`, body, { ...headers, 'content-type': 'application/json' });
    for (const again of [
      await send('{"payload":{"quality":"low"},"name":"request_snapshot"}'),
      await send('{ "payload" : {"qualit\\u0079":"low"}, "name":"request\\u005fsnapshot" }'),
      await send(first, id.toUpperCase()),
    ]) {
      expect([again.status, again.body.id]).toEqual([202, made.body.id]);
    }
    expect((await send('{"name":"request_snapshot"}')).body.code).toBe('idempotency_key_reused');
  });

  it('names versions in If-Match as RFC 9110 lets it', async () => {
    const { id } = (await newDevice({})).body.device;
    const rename = (ifMatch: string): Promise<Answer<Body>> =>
      ask('PATCH', `/devices/${id}`, { name: 'Side door' }, { 'if-match': ifMatch });
    const tag = String((await ask('GET', `/devices/${id}`)).headers.get('etag'));
    expect((await rename(`"0-other", ${tag}`)).status).toBe(200);
    expect((await rename(`"1", W/"9"`)).body.code).toBe('device_changed');
    // As compressing proxies serve them on: nginx makes a tag weak, Apache adds to it.
    const served = String((await ask('GET', `/devices/${id}`)).headers.get('etag'));
    expect((await rename(`W/${served}`)).status).toBe(200);
    expect((await rename(`W/${served}`)).body.code).toBe('device_changed');
    expect((await rename('"3-x-gzip"')).status).toBe(200);
    expect((await rename('*')).status).toBe(200);
    for (const malformed of ['4', '"4', '"4" "5"']) {
      const { status, body } = await rename(malformed);
      expect([malformed, status, body.code]).toEqual([malformed, 400, 'invalid_if_match']);
    }
    for (const path of ['/users/me', `/users/${ada.id}`]) {
      const current = String((await ask('GET', path)).headers.get('etag'));
      const { status } = await ask('PATCH', path, { displayName: 'Ada' }, { 'if-match': `"0", ${current}` });
      expect([path, status]).toEqual([path, 200]);
    }
    const organization = (await ask('POST', '/organizations', { name: 'House' })).body.id;
    const gone = await ask('DELETE', `/organizations/${organization}`, undefined, { 'if-match': '"9", "1"' });
    expect(gone.status).toBe(204);
  });
});

describe('What was kept before', () => {
  it('loses quotes that mean nothing by the migration, once for each mailbox', async () => {
    const domain = `${randomUUID().slice(0, 8)}.example`;
    const meant = ['"a b"', '"a\\"@b"'];
    const kept = ['"solo"', '"\\first"', '"first"', 'twin', '"twin"', ...meant, '\u03bf\u03b4\u03bf\u03c2.\u03b1'];
    const people = await fixture.sql.rows<{ id: string }>(
      `INSERT INTO users (id, email, display_name, email_since, email_by_admin, created_at)
       SELECT gen_random_uuid(), name || '@' || $2, 'x', now() - interval '8 days', true, now() + place * interval '1 s'
       FROM unnest($1::text[]) WITH ORDINALITY AS t(name, place) RETURNING id`,
      [kept, domain],
    );
    const organization = (await ask('POST', '/organizations', { name: 'Quotes' })).body.id;
    await fixture.sql.rows(
      `INSERT INTO invitations (id, organization_id, email, role, token_hash, invited_by, expires_at)
       SELECT gen_random_uuid(), $1, name || '@' || $2, 'VIEWER', sha256(convert_to(name, 'UTF8')), $3, now() + interval '1 day'
       FROM unnest($4::text[]) AS t(name)`,
      [organization, domain, ada.id, ['"solo"', '"s\\olo"', '"twin"', 'twin']],
    );
    await fixture.sql.rows(await readFile(MIGRATIONS[2] ?? '', 'utf8'));
    const rows = await fixture.sql.rows<{ email: string; long: boolean }>(
      `SELECT email, email_by_admin AND now() - email_since > interval '7 days' AS long FROM users
       WHERE id = ANY ($1) ORDER BY created_at`,
      [people.map(({ id }) => id)],
    );
    const plain = ['solo', 'first', '"first"', 'twin', '"twin"', ...meant, '\u03bf\u03b4\u03bf\u03c3.\u03b1'];
    expect(rows).toEqual(plain.map((name) => ({ email: `${name}@${domain}`, long: true })));
    const [query = ''] = /SELECT id, email FROM users[^`]+/.exec(await readFile(OPERATIONS, 'utf8')) ?? [];
    const others = (await fixture.sql.rows<{ email: string }>(query)).filter(({ email }) => email.endsWith(domain));
    expect(others.map(({ email }) => email).sort()).toEqual([`"first"@${domain}`, `"twin"@${domain}`]);
    const invited = await fixture.sql.rows<{ email: string }>(
      'SELECT email FROM invitations WHERE organization_id = $1 AND email = ANY ($2)',
      [organization, ['solo', 'twin', '"twin"'].map((name) => `${name}@${domain}`)],
    );
    expect(invited).toHaveLength(3);
  });

  it('gets its one spelling by the migration, and accounts that became one stay', async () => {
    const label = randomUUID().slice(0, 8);
    const typed = ['solo', 'twin'].map((name) => `${name}@\u00fc-${label}.example`);
    const twin = (await register(`twin@\u00fc-${label}.example`, '192.0.2.6')).body.email;
    await fixture.sql.rows(
      `INSERT INTO users (id, email, display_name, email_since, email_by_admin)
       SELECT gen_random_uuid(), unnest($1::text[]), 'x', now() - interval '8 days', true`,
      [typed],
    );
    const { id } = (await newDevice({})).body.device;
    await fixture.sql.rows(`UPDATE devices SET time_zone = 'asia/kolkata', name = $2, room = ' x ' WHERE id = $1`, [
      id,
      'Tu\u0308r',
    ]);
    const second = (await newDevice({})).body.device.id;
    // A later migration made it unique in all spellings.
    await fixture.sql.rows('DROP INDEX devices_registered_hardware_key');
    await fixture.sql.rows(
      `UPDATE devices SET hardware_id = CASE id WHEN $1 THEN 'lock-' ELSE 'Lock-' END || $3 WHERE id IN ($1, $2)`,
      [id, second, label],
    );
    for (const file of MIGRATIONS) {
      await fixture.sql.rows(await readFile(file, 'utf8'));
    }
    const kept = await fixture.sql.rows<{ email: string }>(
      `SELECT email FROM users WHERE email LIKE '%' || $1 || '%' ORDER BY email COLLATE "C"`,
      [label],
    );
    expect(kept.map(({ email }) => email)).toEqual([twin.replace('twin', 'solo'), twin, typed[1]]);
    const held = `SELECT email_by_admin, now() - email_since > interval '7 days' AS long FROM users WHERE email = $1`;
    expect(await fixture.sql.rows(held, [kept[0]?.email])).toEqual([{ email_by_admin: true, long: true }]);
    // From then on, a new one counts anew.
    await fixture.sql.rows(`UPDATE users SET email = 'new-' || email WHERE email = $1`, [kept[0]?.email]);
    expect(await fixture.sql.rows(held, [`new-${String(kept[0]?.email)}`])).toEqual([
      { email_by_admin: false, long: false },
    ]);
    const device = await fixture.sql.rows('SELECT time_zone, name, room FROM devices WHERE id = $1', [id]);
    expect(device).toEqual([{ time_zone: 'Asia/Kolkata', name: 'T\u00fcr', room: 'x' }]);
    const ids = await fixture.sql.rows('SELECT hardware_id FROM devices WHERE id IN ($1, $2) ORDER BY created_at', [
      id,
      second,
    ]);
    expect(ids).toEqual([{ hardware_id: `LOCK-${label.toUpperCase()}` }, { hardware_id: `Lock-${label}` }]);
  });
});
