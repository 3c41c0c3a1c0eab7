/**
 * Every route, asked for by every kind of person. Routes and what they demand are read from the decorators that guard
 * them; what a person may do is written down here once more, so that the two have to agree.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { OrganizationRole } from '../../src/contracts/resources.js';
import { fill } from '../support/api-routes.js';
import { TestApp } from '../support/test-app.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { type RouteRule, routeRules } from '../support/route-rules.js';
import { request, textOf } from '../support/rest.js';
import { serverRoutes } from '../support/server-routes.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const SNAPSHOT = 'test/contract/routes.json';
const ROLES = [
  'anonymous',
  'stranger',
  'device owner',
  'VIEWER',
  'OPERATOR',
  'MANAGER',
  'OWNER',
  'maker',
  'admin',
] as const;
type Role = (typeof ROLES)[number];

/** What each of them may do with a device of an organization, and with that organization. */
const MAY: Readonly<Record<Role, readonly string[]>> = {
  anonymous: [],
  stranger: [],
  'device owner': ['device:view', 'device:control', 'device:admin', 'device:manager', 'device:owner'],
  VIEWER: ['device:view', 'organization:viewer'],
  OPERATOR: ['device:view', 'device:control', 'organization:viewer', 'organization:operator'],
  MANAGER: [
    'device:view',
    'device:control',
    'device:admin',
    'device:manager',
    'organization:viewer',
    'organization:operator',
    'organization:manager',
  ],
  OWNER: [
    'device:view',
    'device:control',
    'device:admin',
    'device:manager',
    'organization:viewer',
    'organization:operator',
    'organization:manager',
    'organization:owner',
  ],
  maker: ['maker'],
  admin: ['admin', 'maker'],
};

type Verdict = 'allowed' | 'unauthenticated' | 'forbidden' | 'not found';

function expected(rule: string, role: Role): Verdict {
  if (rule === 'public') {
    return 'allowed';
  }
  // A person is no device, whoever owns it.
  if (role === 'anonymous' || rule === 'uplink') {
    return 'unauthenticated';
  }
  if (rule === 'signed in' || MAY[role].includes(rule)) {
    return 'allowed';
  }
  const [kind = ''] = rule.split(':');
  const sees = ['admin', 'maker'].includes(rule) || MAY[role].some((demand) => demand.startsWith(`${kind}:`));
  return sees ? 'forbidden' : 'not found';
}

let application: TestApp;
let sql: Sql;
let routes: RouteRule[];

beforeAll(async () => {
  application = await TestApp.start({ env: { RATE_LIMIT_SCALE: '100000' } });
  sql = await Sql.open(application.databaseUrl);
  routes = routeRules(application.nest);
}, 60_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

interface Visitor {
  readonly asker: InsertedAccount | null;
  readonly ids: Readonly<Record<string, string>>;
}

/** An account in this role, and an id for everything that a route can name. */
async function createVisitor(role: Role): Promise<Visitor> {
  const person = (name: string): Promise<InsertedAccount> => insertAccount(application, { name });
  const [owner, founder, bystander] = [await person('owner'), await person('founder'), await person('bystander')];
  const ids = {
    deviceId: randomUUID(),
    organizationId: randomUUID(),
    commandId: randomUUID(),
    invitationId: randomUUID(),
    shareId: randomUUID(),
    provisionedId: randomUUID(),
    transferId: randomUUID(),
    userId: bystander.id,
    sessionId: bystander.sessionId,
    address: '192.0.2.77',
    kid: 'A'.repeat(43),
    code: 'not_found',
  };
  await sql.rows('INSERT INTO organizations (id, name, updated_at) VALUES ($1, $2, now())', [
    ids.organizationId,
    'House',
  ]);
  const enlist = (who: InsertedAccount, as: OrganizationRole): Promise<unknown> =>
    sql.rows('INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3::organization_role)', [
      ids.organizationId,
      who.id,
      as,
    ]);
  await enlist(founder, 'OWNER');
  await enlist(bystander, 'VIEWER');
  await sql.rows(
    `INSERT INTO devices (id, owner_id, organization_id, name, hardware_id, updated_at) VALUES ($1, $2, $3, 'Door', $1::uuid::text, now())`,
    [ids.deviceId, owner.id, ids.organizationId],
  );
  await sql.rows(
    `INSERT INTO device_shares (id, device_id, email, permission) VALUES ($1, $2, 'guest@example.com', 'view')`,
    [ids.shareId, ids.deviceId],
  );
  const visitor = await asker(role, owner, enlist);
  // One's own command: that of another person takes more than the route says.
  await sql.rows(
    `INSERT INTO commands (id, device_id, issuer_id, name, lane, payload, expires_at, correlation_id)
     VALUES ($1, $2, $3, 'lock_door', 'bolt', '{}', now() + interval '1 hour', 'matrix')`,
    [ids.commandId, ids.deviceId, visitor?.id ?? null],
  );
  return { asker: visitor, ids };
}

async function asker(
  role: Role,
  deviceOwner: InsertedAccount,
  enlist: (who: InsertedAccount, as: OrganizationRole) => Promise<unknown>,
): Promise<InsertedAccount | null> {
  switch (role) {
    case 'anonymous':
      return null;
    case 'device owner':
      return deviceOwner;
    case 'stranger':
      return insertAccount(application, { name: 'stranger' });
    case 'maker':
      return insertAccount(application, { name: 'maker', role: 'MAKER' });
    case 'admin':
      return insertAccount(application, { name: 'admin', role: 'ADMIN' });
    default: {
      const member = await insertAccount(application, { name: role.toLowerCase() });
      await enlist(member, role);
      return member;
    }
  }
}

interface Answered {
  readonly verdict: Verdict;
  readonly status: number;
  readonly text: string;
}

/** Bodies are wrong on purpose: they are looked at after the decision, and nothing comes of them. */
async function ask(route: RouteRule, { asker, ids }: Visitor): Promise<Answered> {
  const response = await fetch(application.url + fill(route.path, ids), {
    method: route.method,
    headers: {
      ...(route.takesBody ? { 'content-type': 'application/json' } : {}),
      ...(asker ? { authorization: `Bearer ${asker.accessToken}` } : {}),
    },
    ...(route.takesBody ? { body: '{"unexpected":true}' } : {}),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await textOf(response);
  return { verdict: verdictOf(response.status, text, route.rule), status: response.status, text };
}

/** Only the guard's own refusals count: a service refuses only accounts that the guard has admitted. */
function verdictOf(status: number, text: string, rule: string): Verdict {
  const { code, detail } = (status >= 400 && text.startsWith('{') ? JSON.parse(text) : {}) as {
    code?: string;
    detail?: string;
  };
  if (code === 'unauthenticated' || code === 'device_token_invalid') {
    return 'unauthenticated';
  }
  if (code === 'forbidden') {
    return 'forbidden';
  }
  const ofTheGuard = code === 'not_found' && detail?.includes(`no such ${rule.split(':')[0] ?? ''}`);
  return ofTheGuard ? 'not found' : 'allowed';
}

describe('The routes', () => {
  it('are all there, each guarded: a new one, or another demand, is a decision (UPDATE_ROUTES=1 writes it down)', async () => {
    const rules = Object.fromEntries(
      routes.map(({ name, rule }): [string, string] => [name, rule]).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    if (process.env.UPDATE_ROUTES) {
      await writeFile(SNAPSHOT, `${JSON.stringify(rules, null, 2)}\n`);
    }
    expect(rules).toEqual(JSON.parse(await readFile(SNAPSHOT, 'utf8')));
    expect(Object.values(rules)).not.toContain('unguarded');
  });

  it('are those that the server has, but for the documentation’s own', () => {
    const served = serverRoutes(application.nest).filter((name) => !name.includes(' /api/docs'));
    expect(routes.map(({ name }) => name).sort()).toEqual(served.sort());
  });
});

/** What is wrong with an answer; null when nothing is. */
function fault(route: RouteRule, role: Role, { verdict, status, text }: Answered): string | null {
  const due = expected(route.rule, role);
  const broken = status >= 500 && !route.path.startsWith('/api/health');
  // Who may read gets something to read: 400 is for a missing query alone.
  const idle = due === 'allowed' && route.method === 'GET' && status >= 300 && status !== 400;
  return verdict === due && !broken && !(idle && !text.includes('_not_found'))
    ? null
    : `${route.name} (${route.rule}): ${due} expected, ${verdict} got, ${String(status)} ${text.slice(0, 200)}`;
}

describe.each(ROLES)('Every route, asked for by: %s', (role) => {
  it('answers as its demand says', async () => {
    const faults: (string | null)[] = [];
    const lasting = await createVisitor(role);
    // What takes no body cannot be refused for a wrong one: it happens, to something that is there for it.
    const usesUp = ({ method, takesBody }: RouteRule): boolean => method !== 'GET' && !takesBody;
    const visitors = await Promise.all(routes.map(async (route) => (usesUp(route) ? createVisitor(role) : lasting)));
    for (const [index, route] of routes.entries()) {
      faults.push(fault(route, role, await ask(route, visitors[index] ?? lasting)));
    }
    expect(faults.filter((each) => each !== null)).toEqual([]);
  }, 120_000);
});

/** Whose session has ended in the database alone: no signal came, and this process remembers that it stood. */
async function signedOutUnheard(): Promise<InsertedAccount | null> {
  const me = async (who: InsertedAccount): Promise<number> =>
    (await request(application.url, 'GET', '/api/v1/users/me', { token: who.accessToken })).status;
  const remembered: InsertedAccount[] = [];
  await eventually('a session is remembered that has ended', async () => {
    const person = await insertAccount(application, { name: 'gone' });
    await me(person);
    await sql.rows(`UPDATE sessions SET revoked_at = now(), revoked_reason = 'revoked' WHERE id = $1`, [
      person.sessionId,
    ]);
    remembered.unshift(person);
    return (await me(person)) === 200;
  });
  return remembered[0] ?? null;
}

describe('A session that ended seconds ago, of which no signal came', () => {
  it('changes nothing on any route, and sees no activation code', async () => {
    const certain = routes.filter(
      ({ rule, method, name }) =>
        !['public', 'uplink'].includes(rule) && (method !== 'GET' || name === 'GET /api/v1/devices/{deviceId}/qr'),
    );
    const { ids } = await createVisitor('stranger');
    const faults: unknown[] = [];
    for (const route of certain) {
      const { status, text } = await ask(route, { asker: await signedOutUnheard(), ids });
      if (status !== 401 || !text.includes('session_ended')) {
        faults.push([route.name, status, text.slice(0, 100)]);
      }
    }
    expect(faults).toEqual([]);
    expect(certain.length).toBeGreaterThan(50);
  }, 60_000);
});
