/**
 * P-19: no state change without its audit row, and none accepted while audit fails. Walks every changing route that
 * the application has; one without `@Audit` keeps it from booting. Seen to fail: with the entry written outside of the
 * change's transaction.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { AuditAction } from '../../src/contracts/audit.js';
import { AUDITED, CHANGES_NOTHING } from '../../src/platform/audit/audit.decorator.js';
import { ACCESS_RULE, type AccessRule } from '../../src/platform/auth/authorize.decorator.js';
import { type Account, createAdmin } from '../support/accounts.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { type ChangingRequest, CHANGING_REQUESTS, RequestFactory } from '../support/changing-requests.js';
import { databaseSnapshot } from '../support/database-snapshot.js';
import { recordFigure } from '../support/promise.js';
import { Sql } from '../support/sql.js';

interface ChangingRoute {
  /** `POST /users/:userId/block`. */
  readonly name: string;
  readonly method: string;
  readonly action: AuditAction | undefined;
}
interface Entry {
  action: string;
  outcome: string;
  code: string | null;
  actor: string;
  entity_type: string | null;
  entity_id: string | null;
}

const SAFE = ['GET', 'HEAD', 'OPTIONS'];

let application: TestApp;
let sql: Sql;
let factory: RequestFactory;
let routes: ChangingRoute[];

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(application.databaseUrl);
  factory = await RequestFactory.start(application, sql);
  routes = changingRoutes(application);
}, 60_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

function changingRoutes({ nest: app }: TestApp): ChangingRoute[] {
  const scanner = new MetadataScanner();
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) => {
    if (typeof metatype !== 'function') {
      return [];
    }
    const prototype = metatype.prototype as Record<string, object>;
    return scanner.getAllMethodNames(prototype).flatMap((member): ChangingRoute[] => {
      const handler = prototype[member] ?? {};
      const verb = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
      if (verb === undefined) {
        // A hook of the life cycle.
        return [];
      }
      const method = RequestMethod[verb];
      const parts = [
        Reflect.getMetadata(PATH_METADATA, metatype),
        Reflect.getMetadata(PATH_METADATA, handler),
      ] as string[];
      const path = parts
        .map((part) => part.replace(/^\/|\/$/g, ''))
        .filter((part) => part !== '')
        .join('/');
      // What devices say is history, and no deed of a person.
      const rule = Reflect.getMetadata(ACCESS_RULE, handler) as AccessRule | undefined;
      const isUplink = rule?.public === false && rule.demand === 'uplink';
      return SAFE.includes(method) || isUplink || Reflect.hasMetadata(CHANGES_NOTHING, handler)
        ? []
        : [
            {
              name: `${method} /${path}`,
              method,
              action: Reflect.getMetadata(AUDITED, handler) as AuditAction | undefined,
            },
          ];
    });
  });
}

async function send(
  method: string,
  { path, token, body, headers }: ChangingRequest,
): Promise<Answer & { entries: Entry[] }> {
  const requestId = randomUUID();
  const answer = await request(application.url, method, `/api/v1${path}`, {
    ...(token === undefined ? {} : { token }),
    body,
    headers: { ...headers, 'x-request-id': requestId, 'idempotency-key': randomUUID() },
  });
  const entries = await sql.rows<Entry>(
    'SELECT action, outcome, code, actor, entity_type, entity_id FROM audit_entries WHERE request_id = $1 ORDER BY id',
    [requestId],
  );
  return { ...answer, entries };
}

async function prepared(route: ChangingRoute): Promise<ChangingRequest> {
  const prepare = CHANGING_REQUESTS[route.name];
  if (!prepare) {
    throw new Error(`No request for ${route.name}: write one in test/support/changing-requests.ts.`);
  }
  return prepare(factory);
}

describe('P-19 every change is audited', () => {
  it('knows a request for every changing route', () => {
    expect(routes.length).toBeGreaterThan(25);
    expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(CHANGING_REQUESTS).sort());
  });

  it('joins every change to its row', async () => {
    for (const route of routes) {
      const changing = await prepared(route);
      const { status, body, entries } = await send(route.method, changing);
      expect(`${route.name} ${String(status)} ${JSON.stringify(body)}`).toMatch(/^\S+ \S+ 2\d\d /);
      const announced = entries.filter(({ action }) => action === route.action);
      expect([route.name, announced.length > 0]).toEqual([route.name, true]);
      for (const entry of entries) {
        expect({ route: route.name, ...entry }).toMatchObject({
          outcome: 'success',
          code: null,
          entity_type: expect.any(String),
        });
      }
      if (changing.token !== undefined) {
        expect([route.name, entries.every(({ actor }) => actor.startsWith('user:'))]).toEqual([route.name, true]);
      }
      if (route.action === 'user_role_changed') {
        await sql.rows(`UPDATE users SET role = 'USER' WHERE id <> $1`, [factory.admin.id]);
      }
    }
    recordFigure({
      promise: 'P-19',
      shown: 'Every changing route, joined to its audit row.',
      n: routes.length,
      figure: '0 unaudited',
    });
  }, 120_000);

  it('refuses every change while audit fails, and leaves everything as it was', async () => {
    for (const route of routes) {
      const changing = await prepared(route);
      const before = await databaseSnapshot(sql);
      await sql.rows(`ALTER TABLE audit_entries ADD CONSTRAINT planted CHECK (action = 'nothing') NOT VALID`);
      const { status, body, entries } = await send(route.method, changing);
      const after = await databaseSnapshot(sql);
      await sql.rows('ALTER TABLE audit_entries DROP CONSTRAINT planted');
      expect(`${route.name} ${String(status)} ${JSON.stringify(body)}`).toMatch(/^\S+ \S+ 5\d\d /);
      expect(entries).toEqual([]);
      expect({ route: route.name, ...after }).toEqual({ route: route.name, ...before });
    }
    recordFigure({
      promise: 'P-19',
      shown: 'Every changing route while audit fails.',
      n: routes.length,
      figure: '0 accepted, 0 changed',
    });
  }, 180_000);

  it('records what was refused, with the code of the problem', async () => {
    const ada = await factory.account();
    const refused = await send('PATCH', {
      path: '/users/me',
      token: ada.accessToken,
      body: { username: factory.admin.email },
    });
    expect([refused.status, refused.entries.length]).toEqual([400, 1]);
    const blocked = await send('POST', {
      path: `/users/${factory.admin.id}/block`,
      token: factory.admin.accessToken,
    });
    expect(blocked.status).toBe(409);
    expect(blocked.entries).toEqual([
      {
        action: 'user_blocked',
        outcome: 'failure',
        code: 'last_admin',
        actor: `user:${factory.admin.id}`,
        entity_type: 'user',
        entity_id: factory.admin.id,
      },
    ]);
  });
});

describe('The audit trail', () => {
  let auditor: Account;
  const read = (query: string): Promise<Answer<{ items: Record<string, unknown>[]; nextCursor: string | null }>> =>
    request(application.url, 'GET', `/api/v1/audit${query}`, { token: auditor.accessToken });

  beforeAll(async () => {
    auditor = await createAdmin(application, 'auditor');
  });

  it('can be read by actor, action, entity, outcome and time, a page at a time', async () => {
    const ada = await factory.account();
    for (const theme of ['dark', 'light', 'system']) {
      await send('PATCH', { path: '/users/me/preferences', token: ada.accessToken, body: { theme } });
    }
    const query = `?actor=user:${ada.id}&action=preferences_updated&entityType=user&entityId=${ada.id.toUpperCase()}&outcome=success&from=2020-01-01T00:00:00Z&limit=2`;
    const first = await read(query);
    expect(first.body.items.map((entry) => entry.after)).toMatchObject([{ theme: 'system' }, { theme: 'light' }]);
    const second = await read(`${query}&cursor=${String(first.body.nextCursor)}`);
    expect(second.body).toMatchObject({
      items: [{ before: { theme: 'system' }, after: { theme: 'dark' } }],
      nextCursor: null,
    });
    expect((await read('?to=2020-01-01T00:00:00Z')).body.items).toEqual([]);
    for (const wrong of ['?action=nothing', '?cursor=x', '?from=yesterday', '?entityType=door', '?limit=1000']) {
      expect([wrong, (await read(wrong)).status]).toEqual([wrong, 400]);
    }
  });

  it('is read in the order of the numbers, also where they grow by a digit', async () => {
    const ada = await factory.account();
    await sql.rows(`SELECT setval(pg_get_serial_sequence('audit_entries', 'id'), 9995)`);
    for (let change = 0; change < 10; change += 1) {
      const body = { theme: change % 2 === 0 ? 'dark' : 'light' };
      await send('PATCH', { path: '/users/me/preferences', token: ada.accessToken, body });
    }
    const seen: number[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await read(`?actor=user:${ada.id}&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.body.items.map(({ id }) => Number(id)));
      cursor = page.body.nextCursor;
    }
    expect(seen.filter((id) => id > 9_995)).toHaveLength(10);
    expect(seen).toEqual(seen.toSorted((left, right) => right - left));
  });

  it('says who read it, and who read about other people', async () => {
    await read('?limit=1');
    await request(application.url, 'GET', `/api/v1/users/${factory.admin.id}`, { token: auditor.accessToken });
    const { body } = await read(`?actor=user:${auditor.id}&limit=3`);
    expect(body.items.map(({ action }) => action)).toEqual(['users_read', 'audit_read', expect.any(String)]);
  });

  it('cannot be rewritten', async () => {
    for (const change of [
      'UPDATE audit_entries SET actor = NULL',
      'DELETE FROM audit_entries',
      'TRUNCATE audit_entries',
    ]) {
      await expect(sql.rows(change)).rejects.toThrow('never changed');
    }
  });
});
