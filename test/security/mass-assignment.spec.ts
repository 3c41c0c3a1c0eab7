/**
 * P-31: no mass assignment, no field beyond the allow-list. Takes the request schemas and answers out of the OpenAPI
 * document, so that a new route is covered by its entry in CHANGING_REQUESTS alone. Seen to fail: with
 * `forbidNonWhitelisted` off, and with a member added to what `toUserDto` answers.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { builtDocument } from '../support/built-document.js';
import { TestApp } from '../support/test-app.js';
import { type ChangingRequest, CHANGING_REQUESTS, RequestFactory } from '../support/changing-requests.js';
import { type Answer, request } from '../support/rest.js';
import { recordFigure } from '../support/promise.js';
import { Sql } from '../support/sql.js';

/** What no client may say of what it makes or changes, in the spellings of the API and of the tables. */
const PRIVILEGED: Readonly<Record<string, unknown>> = {
  id: randomUUID(),
  role: 'ADMIN',
  ownerId: randomUUID(),
  owner_id: randomUUID(),
  userId: randomUUID(),
  organizationId: randomUUID(),
  createdAt: '2020-01-01T00:00:00.000Z',
  updatedAt: '2020-01-01T00:00:00.000Z',
  deletedAt: null,
  blockedAt: null,
  passwordHash: '$argon2id$',
  password_hash: '$argon2id$',
  mustChangePassword: false,
  failedAttempts: 0,
  loginCount: 9_999,
  version: 9_999,
  status: 'active',
  state: 'EXECUTED',
  permission: 'admin',
  issuerId: randomUUID(),
  tokenHash: 'aaaa',
  emailVerified: true,
  isAdmin: true,
  expiresAt: '2099-01-01T00:00:00.000Z',
};

interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  additionalProperties?: unknown;
}
type Content = Record<string, { schema: Schema }> | undefined;
interface Operation {
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
}
interface Document {
  paths: Record<string, Record<string, Operation | undefined>>;
  components: { schemas: Record<string, Schema> };
}

let application: TestApp;
let sql: Sql;
let factory: RequestFactory;
let document: Document;
let tried = 0;

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  sql = await Sql.open(application.databaseUrl);
  factory = await RequestFactory.start(application, sql);
  document = await builtDocument<Document>();
}, 90_000);

afterAll(async () => {
  await sql.end();
  await application.stop();
});

/** The members that a schema documents; null where anything may stand. */
function membersOf(schema: Schema | undefined): Record<string, Schema> | null {
  const resolved = schema?.$ref ? document.components.schemas[schema.$ref.replace(/^.*\//, '')] : schema;
  if (!resolved) {
    return null;
  }
  const parts = [...(resolved.allOf ?? []), ...(resolved.oneOf ?? []), ...(resolved.anyOf ?? [])].map(membersOf);
  const all = Object.assign({}, resolved.properties, ...parts) as Record<string, Schema>;
  return Object.keys(all).length > 0 ? all : null;
}

/** JSON Pointers to members of the answer that the document does not know. */
function undocumented(value: unknown, schema: Schema | undefined, pointer = ''): string[] {
  if (Array.isArray(value)) {
    const items = schema?.items;
    return items ? value.flatMap((item, index) => undocumented(item, items, `${pointer}/${String(index)}`)) : [];
  }
  const members = membersOf(schema);
  if (typeof value !== 'object' || value === null || members === null) {
    return [];
  }
  return Object.entries(value).flatMap(([name, member]) =>
    name in members ? undocumented(member, members[name], `${pointer}/${name}`) : [`${pointer}/${name}`],
  );
}

function operationOf(name: string): Operation | undefined {
  const [verb = '', path = ''] = name.split(' ');
  return document.paths[`/api/v1${path.replace(/:(\w+)/g, '{$1}')}`]?.[verb.toLowerCase()];
}

function send(name: string, { path, token, body, headers }: ChangingRequest): Promise<Answer<unknown>> {
  return request<unknown>(application.url, name.split(' ')[0] ?? '', `/api/v1${path}`, {
    ...(token === undefined ? {} : { token }),
    body,
    headers: { ...headers, 'idempotency-key': randomUUID() },
  });
}

const LISTS = ['POST /users/import', 'POST /devices/provision'];

describe('P-31 what a client says more than it may', () => {
  it('is refused on every route that takes a body', async () => {
    let routes = 0;
    for (const [name, prepare] of Object.entries(CHANGING_REQUESTS)) {
      const members = membersOf(operationOf(name)?.requestBody?.content?.['application/json']?.schema);
      if (members === null) {
        continue;
      }
      routes += 1;
      const changing = await prepare(factory);
      for (const [field, value] of Object.entries(PRIVILEGED).filter(([field]) => !(field in members))) {
        const { status } = await send(name, { ...changing, body: { ...(changing.body as object), [field]: value } });
        tried += 1;
        // An import takes a list only: members beside it belong to no account or device, and have no effect.
        expect([name, field, status]).toEqual([name, field, LISTS.includes(name) ? expect.any(Number) : 400]);
      }
    }
    expect(routes).toBeGreaterThan(15);
    recordFigure({
      promise: 'P-31',
      shown: `Privileged fields on ${String(routes)} routes.`,
      n: tried,
      figure: '0 taken',
    });
  }, 120_000);

  it('is refused inside of rows, too', async () => {
    const email = (): string => `${randomUUID()}@example.com`;
    for (const [field, value] of Object.entries(PRIVILEGED).filter(([name]) => name !== 'role')) {
      const row = { email: email(), [field]: value };
      const bulk = await send('POST', {
        path: '/users/bulk',
        token: factory.admin.accessToken,
        body: { users: [row] },
      });
      const imported = await send('POST', {
        path: '/users/import',
        token: factory.admin.accessToken,
        body: { users: [row] },
      });
      expect([field, bulk.status, imported.body]).toEqual([
        field,
        400,
        expect.objectContaining({ done: 0, refused: 1 }),
      ]);
    }
  });

  it('makes no account an administrator, however it is nested or spelled', async () => {
    const ada = await factory.account();
    const bodies = [
      { displayName: 'A', role: 'ADMIN' },
      { displayName: 'A', user: { role: 'ADMIN' } },
      { displayName: 'A', ROLE: 'ADMIN' },
      '{"displayName":"A","__proto__":{"role":"ADMIN"}}',
      '{"displayName":"A","constructor":{"prototype":{"role":"ADMIN"}}}',
    ];
    for (const body of bodies) {
      expect((await send('PATCH', { path: '/users/me', token: ada.accessToken, body })).status).toBe(400);
    }
    expect((await send('GET', { path: '/users/me', token: ada.accessToken })).body).toMatchObject({ role: 'USER' });
  });
});

describe('P-31 what an answer says', () => {
  it('is documented, member by member, on every route that changes something', async () => {
    for (const [name, prepare] of Object.entries(CHANGING_REQUESTS)) {
      const { status, body } = await send(name, await prepare(factory));
      const schema = operationOf(name)?.responses[String(status)]?.content?.['application/json']?.schema;
      expect([name, status < 300, body !== undefined && schema === undefined]).toEqual([name, true, false]);
      expect([name, undocumented(body, schema)]).toEqual([name, []]);
    }
  }, 60_000);

  it('is documented, member by member, on every route that reads', async () => {
    const { owner, id: deviceId } = await factory.device();
    await factory.create(owner, `/devices/${deviceId}/commands`, { name: 'lock_door' });
    const organizationId = await factory.create(owner, '/organizations', { name: 'Lighthouse' });
    const reads = Object.entries(document.paths).filter(
      // A stream has no end: what it carries are the messages of sockets, which have a document of their own.
      ([path, { get }]) =>
        path.startsWith('/api/v1/') && get && !('text/event-stream' in (get.responses['200']?.content ?? {})),
    );
    expect(reads.length).toBeGreaterThan(12);
    for (const [path, { get }] of reads) {
      const filled = path
        .replace('{deviceId}', deviceId)
        .replace('{organizationId}', organizationId)
        .replace('{userId}', owner.id);
      const query = path.endsWith('/search') ? '?q=person' : path.endsWith('/export') ? '?format=json' : '';
      for (const { accessToken } of [owner, factory.admin]) {
        const answer = await request(application.url, 'GET', filled + query, { token: accessToken });
        const schema = get?.responses[String(answer.status)]?.content?.['application/json']?.schema;
        if (answer.status === 200) {
          expect([path, schema === undefined]).toEqual([path, false]);
          expect([path, undocumented(answer.body, schema)]).toEqual([path, []]);
          expect(JSON.stringify(answer.body)).not.toMatch(/argon2|password_?hash|token_?hash/i);
        }
      }
    }
  });
});
