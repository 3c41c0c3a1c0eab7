/**
 * Every status that a route answers with stands in the document under its own number, with an example for every code: real
 * answers, most of them to bad requests, are held against it. Seen to fail: before the refusals that routes share were derived for all of them.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type ApiRoute, documentedRoutes, fill, GOOD_BODIES } from '../support/api-routes.js';
import { TestApp } from '../support/test-app.js';
import { builtDocument } from '../support/built-document.js';
import { CHANGING_REQUESTS, RequestFactory } from '../support/changing-requests.js';
import { exactRequest, type ExactAnswer } from '../support/exact-http.js';
import { insertAccount } from '../support/accounts.fixture.js';
import { Sql } from '../support/sql.js';

interface Response {
  readonly content?: Record<string, { readonly examples?: Record<string, unknown> }>;
}
interface Variant {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly query?: string;
  readonly ids?: Readonly<Record<string, string>>;
}

/** Larger than what any route takes. */
const TOO_LARGE = JSON.stringify({ name: 'x'.repeat(1_200_000) });
/** More than wait for a password to be checked. */
const AT_ONCE = 90;

let application: TestApp;
let sql: Sql;
let factory: RequestFactory;
let routes: ApiRoute[];
let documented: Map<string, Readonly<Record<string, Response>>>;
let undocumented: Set<string>;

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(application.databaseUrl);
  factory = await RequestFactory.start(application, sql);
  routes = await documentedRoutes(application.url);
  const { paths } = await builtDocument<{
    paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
  }>();
  documented = new Map(
    Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([verb, { responses }]) => [`${verb.toUpperCase()} ${path}`, responses] as const),
    ),
  );
}, 120_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

function note(name: string, { status, headers, text }: ExactAnswer): void {
  const response = documented.get(name)?.[String(status)];
  const type = String(headers['content-type']).split(';')[0] ?? '';
  if (!response) {
    undocumented.add(`${name} ${String(status)} ${text.slice(0, 80)}`);
  } else if (status >= 400 && !name.includes('/api/health')) {
    const { code } = JSON.parse(text) as { code: string };
    const { examples = {} } = response.content?.[type] ?? {};
    if (!(code in examples)) {
      undocumented.add(`${name} ${String(status)} ${code} as ${type}`);
    }
  }
}

/** Of a route that takes a body. */
function bodies(good: string): Variant[] {
  return [
    ...[good, '{}', '{"unexpected":true}', '[]', '"text"', '{', ''].map((body) => ({ body })),
    { body: '<a/>', headers: { 'content-type': 'application/xml' } },
    { body: 'a,b', headers: { 'content-type': 'text/csv' } },
    { body: good, headers: { 'idempotency-key': 'no key, too many words' } },
    { body: good, headers: { 'idempotency-key': randomUUID(), 'if-match': '"99"' } },
  ];
}

function variants({ name, method, query }: ApiRoute, token: string | undefined): Variant[] {
  const body = method === 'GET' ? undefined : JSON.stringify(GOOD_BODIES[name]?.() ?? {});
  return [
    {},
    ...(body === undefined ? [] : bodies(body)),
    // Its length is judged before its sender is known.
    ...(body === undefined || token !== undefined ? [] : [{ body: TOO_LARGE }]),
    ...[...query, 'unexpected'].map((member) => ({ query: `?${member}=%00&limit=0` })),
    ...['not-an-id', '%zz', '%00'].map((id) => ({
      ids: {
        deviceId: id,
        organizationId: id,
        userId: id,
        commandId: id,
        invitationId: id,
        shareId: id,
        sessionId: id,
        address: id,
      },
      ...(body === undefined ? {} : { body }),
    })),
  ];
}

describe('Every answer', () => {
  beforeEach(() => {
    undocumented = new Set();
  });

  it('to a bad request has a documented status, whatever the role of the client', async () => {
    for (const route of routes) {
      const askers = [
        undefined,
        'not-a-token',
        (await insertAccount(application)).accessToken,
        (await insertAccount(application, { role: 'ADMIN' })).accessToken,
      ];
      // Together: each waits for its own answers.
      const ask = async (token: string | undefined): Promise<void> => {
        for (const { headers = {}, body, query = '', ids = {} } of variants(route, token)) {
          const unknown = Object.fromEntries(route.parameters.map((each) => [each, randomUUID()]));
          const answer = await exactRequest(application.url, {
            method: route.method,
            path: fill(route.path, { ...unknown, ...ids }) + query,
            headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
            ...(body === undefined ? {} : { body }),
          });
          note(route.name, answer);
        }
      };
      await Promise.all(askers.map(ask));
    }
    expect([...undocumented]).toEqual([]);
  }, 180_000);

  it('to what was done before, is not due any more, or is done with another body, too', async () => {
    for (const [name, prepare] of Object.entries(CHANGING_REQUESTS)) {
      const [method = ''] = name.split(' ');
      const documentedName = `${method} /api/v1${name.slice(method.length + 1)}`.replace(/:(\w+)/g, '{$1}');
      const { path, token, body, headers: own } = await prepare(factory);
      const key = randomUUID();
      const headers = {
        ...own,
        'idempotency-key': key,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      };
      const send = (more: Readonly<Record<string, string>> = {}, changed = body): Promise<void> =>
        exactRequest(application.url, {
          method,
          path: `/api/v1${path}`,
          headers: { ...headers, ...more },
          ...(changed === undefined ? {} : { body: JSON.stringify(changed) }),
        }).then((answer) => {
          note(documentedName, answer);
        });
      await send({ 'if-match': '"99"', 'idempotency-key': randomUUID() });
      await send();
      await send({}, { ...(body as object | undefined), unexpected: true });
      await send({ 'idempotency-key': randomUUID() });
    }
    expect([...undocumented]).toEqual([]);
  }, 180_000);

  it('of those who check passwords, while too many are being checked, too', async () => {
    const ada = await factory.registered();
    const cases: readonly [string, string, (turn: number) => unknown][] = [
      ['POST', '/auth/register', (turn) => ({ email: `busy-${String(turn)}@example.com`, password: ada.password })],
      ['POST', '/auth/password', () => ({ currentPassword: ada.password, newPassword: 'tangerine harbour 47' })],
      ['DELETE', '/users/me', () => ({ password: 'not the password of any account' })],
    ];
    let busy = 0;
    for (const [method, path, bodyOf] of cases) {
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, turn) =>
          fetch(`${application.url}/api/v1${path}`, {
            method,
            headers: { authorization: `Bearer ${ada.accessToken}`, 'content-type': 'application/json' },
            body: JSON.stringify(bodyOf(turn)),
          }).then(async (answer): Promise<ExactAnswer> => ({
            status: answer.status,
            headers: Object.fromEntries(answer.headers),
            text: await answer.text(),
          })),
        ),
      );
      for (const answer of answers) {
        note(`${method} /api/v1${path}`, answer);
        busy += answer.status === 503 ? 1 : 0;
      }
    }
    expect(busy).toBeGreaterThan(0);
    expect([...undocumented]).toEqual([]);
  }, 120_000);
});

describe('Every operation', () => {
  it('says what any other problem looks like', () => {
    const without = [...documented].filter(
      ([, { default: other }]) => !('application/problem+json' in (other?.content ?? {})),
    );
    expect(without.map(([name]) => name)).toEqual([]);
  });
});
