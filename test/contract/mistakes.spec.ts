/**
 * Sixty and more mistakes that people make who write apps, each with its exact answer: what is wrong, and what to do.
 * Seen to fail: with one detail for every malformed request, with one challenge for every token, and without `Allow`.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { SignJWT } from 'jose';
import { AppConfig } from '../../src/config/app-config.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { type ExactAnswer, exactRequest } from '../support/exact-http.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { COMMANDS } from './mistakes/commands.js';
import { DEVICES_AND_ACCOUNTS } from './mistakes/devices-and-accounts.js';
import type { Mistake, Placeholder } from './mistakes/mistake.js';
import { QUERIES } from './mistakes/queries.js';
import { SIGNING_IN } from './mistakes/signing-in.js';
import { TOKENS_AND_PATHS } from './mistakes/tokens-and-paths.js';

/** Headers that tell a client what to do. */
const TELLING = ['www-authenticate', 'allow', 'accept', 'retry-after', 'idempotent-replayed'];

let application: TestApp;
let sql: Sql;
let people: Readonly<Record<Exclude<Mistake['as'], 'nobody'>, InsertedAccount>>;
let values: Readonly<Record<Placeholder, string>> & Readonly<Record<string, string | undefined>>;

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(application.databaseUrl);
  const fixture = OrganizationsFixture.on(application, sql);
  const [owner, stranger, viewer, admin] = await Promise.all([
    insertAccount(application, { name: 'owner' }),
    insertAccount(application, { name: 'stranger' }),
    insertAccount(application, { name: 'viewer' }),
    insertAccount(application, { name: 'admin', role: 'ADMIN' }),
  ]);
  people = { owner, stranger, viewer, admin };
  const organization = (await fixture.createOrganization(owner)).id;
  await fixture.addMember(viewer, 'VIEWER', organization);
  const device = (await fixture.registerDevice(owner)).id;
  await sql.rows(`UPDATE devices SET organization_id = $2, hardware_id = 'LOCK-0' WHERE id = $1`, [
    device,
    organization,
  ]);
  const used = randomUUID();
  await fixture.request(
    owner,
    'POST',
    `/devices/${device}/commands`,
    { name: 'lock_door' },
    { 'idempotency-key': used },
  );
  values = {
    owner: owner.email,
    token: owner.accessToken,
    expired: await expiredToken(owner),
    ended: await tokenOfEnded('logout'),
    evicted: await tokenOfEnded('evicted'),
    device,
    hardware: 'LOCK-0',
    organization,
    key: randomUUID(),
    used,
  };
}, 60_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

async function expiredToken({ id, sessionId }: InsertedAccount): Promise<string> {
  const { kid, alg, privateKey } = await application.get(KeyStore).signingKey('access_token');
  return new SignJWT({ sid: sessionId, role: 'USER' })
    .setProtectedHeader({ alg, kid, typ: 'at+jwt' })
    .setSubject(id)
    .setIssuer(application.get(AppConfig).http.publicUrl)
    .setAudience('mortise')
    .setExpirationTime(Math.floor(Date.now() / 1_000) - 60)
    .sign(privateKey);
}

async function tokenOfEnded(reason: string): Promise<string> {
  const { sessionId, accessToken } = await insertAccount(application);
  await sql.rows('UPDATE sessions SET revoked_at = now(), revoked_reason = $2 WHERE id = $1', [sessionId, reason]);
  return accessToken;
}

function fill(text: string): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

function send({ as, request, body, headers = {} }: Mistake): Promise<ExactAnswer> {
  const [method = '', path = ''] = request.split(' ');
  return exactRequest(application.url, {
    method,
    path: pathOf(path),
    headers: {
      ...(as === 'nobody' ? {} : { authorization: `Bearer ${people[as].accessToken}` }),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)])),
    },
    ...(body === undefined ? {} : { body: fill(typeof body === 'string' ? body : JSON.stringify(body)) }),
  });
}

function pathOf(path: string): string {
  return fill(path.startsWith('!') ? path.slice(1) : `/api/v1${path}`);
}

/** Problem codes have their home with the application. */
function typeOf(code: string): string {
  return `${application.get(AppConfig).http.publicUrl}/problems/${code}`;
}

function expectedOf({ request, answer, detail, errors, members, says = {} }: Mistake): unknown {
  const [status = '', code = ''] = answer.split(' ');
  return {
    status: Number(status),
    says,
    problem: {
      ...members,
      type: typeOf(code),
      title: STATUS_CODES[status],
      status: Number(status),
      detail,
      code,
      ...(errors ? { errors: errors.map((error) => faultOf(error)) } : {}),
      requestId: expect.any(String),
      timestamp: expect.any(String),
      path: pathOf(request.split(' ')[1] ?? '').split('?')[0],
    },
  };
}

function faultOf(error: string): { detail: string; pointer: string } {
  const [pointer = '', ...detail] = error.split(': ');
  return { detail: detail.join(': '), pointer };
}

describe.each([
  ['signing in', SIGNING_IN],
  ['tokens and paths', TOKENS_AND_PATHS],
  ['queries', QUERIES],
  ['devices and accounts', DEVICES_AND_ACCOUNTS],
  ['commands', COMMANDS],
])('A mistake in %s', (_where, mistakes) => {
  it.each(mistakes.map((mistake) => [mistake.does, mistake] as const))(
    'is told exactly: it %s',
    async (_does, mistake) => {
      const { status, headers, text } = await send(mistake);
      expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
      const says = Object.fromEntries(
        TELLING.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
      );
      expect({ status, says, problem: JSON.parse(text) as unknown }).toEqual(expectedOf(mistake));
    },
  );
});

it('counts what is told: sixty mistakes at least, each its own', () => {
  const all = [SIGNING_IN, TOKENS_AND_PATHS, QUERIES, DEVICES_AND_ACCOUNTS, COMMANDS].flat();
  expect(new Set(all.map(({ does }) => does)).size).toBe(all.length);
  expect(all.length).toBeGreaterThanOrEqual(60);
});
