/** The documents of the application as it was built: of HTTP, and of sockets; and the page that tells people of the latter. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import asyncApi from '@asyncapi/specs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { DEVICE_NOTICES, DEVICE_ORDERS, DEVICE_REPORTS } from '../../src/contracts/device-sockets.js';
import type { SocketDocument } from '../../src/apps/async-api.js';
import { CONTROL_MESSAGES, DASHBOARD_REQUESTS, FEED_MESSAGES, REQUEST_ANSWERS } from '../../src/contracts/realtime.js';
import { builtDocuments } from '../support/built-document.js';
import { namesIn, type PageTable, tablesOf } from '../support/page-tables.js';

interface Schema {
  readonly type?: string;
  readonly enum?: unknown[];
  readonly example?: unknown;
  readonly $ref?: string;
  readonly allOf?: unknown[];
  readonly oneOf?: unknown[];
  readonly items?: Schema;
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}
interface Operation {
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly requestBody?: { content: Record<string, { schema: Schema; example?: unknown }> };
  readonly responses: Record<
    string,
    { headers?: object; content?: Record<string, { schema?: Schema; examples?: object }> }
  >;
}
interface FeedProperties {
  readonly type: { readonly const: string };
  readonly payload: { readonly $ref: string };
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, Schema> };
}

let source: string;
let document: Document;
let sockets: SocketDocument;
let operations: (readonly [name: string, path: string, operation: Operation])[];

beforeAll(async () => {
  const { openapi, asyncapi } = await builtDocuments();
  source = openapi;
  document = JSON.parse(source) as Document;
  sockets = JSON.parse(asyncapi) as SocketDocument;
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method} ${path}`, path, operation] as const),
  );
}, 120_000);

/** Named by those it is true of, so that a failure says where. */
const those = (isWrong: (operation: Operation, path: string) => boolean): string[] =>
  operations.filter(([, path, operation]) => isWrong(operation, path)).map(([name]) => name);

describe('The OpenAPI document', () => {
  it('requires no member of a request that has a default', () => {
    const bodies = Object.entries(document.components.schemas).filter(([name]) =>
      Object.values(document.paths).some((path) =>
        Object.values(path).some(({ requestBody }) => JSON.stringify(requestBody ?? {}).includes(`schemas/${name}"`)),
      ),
    );
    const asks = bodies.flatMap(([name, { properties = {}, required = [] }]) =>
      required.filter((member) => properties[member]?.default !== undefined).map((member) => `${name}.${member}`),
    );
    expect(asks).toEqual([]);
    expect(bodies.flatMap(([, { required = [] }]) => required)).not.toContain('overlapSeconds');
  });

  it('says of no change that leaving a member out does what null does', () => {
    const changes = Object.entries(document.components.schemas).filter(([name]) => name.startsWith('Update'));
    expect(changes.length).toBeGreaterThan(3);
    const wrong = changes.filter(([, { properties = {} }]) => JSON.stringify(properties).includes('as when left out'));
    expect(wrong.map(([name]) => name)).toEqual([]);
  });

  it('has no faults in the eyes of an independent linter, under its strictest rules', async () => {
    const config = await createConfig({
      extends: ['recommended-strict'],
      // Probes take nothing and refuse nothing; every other operation is held to this below.
      rules: { 'operation-4xx-response': 'off' },
    });
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    expect(
      problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`),
    ).toEqual([]);
  });

  it('says of every route what it does, what it answers, and how it refuses', () => {
    expect(operations.length).toBeGreaterThan(30);
    expect(those(({ summary }) => !summary)).toEqual([]);
    expect(those(({ responses }) => !Object.keys(responses).some((status) => status.startsWith('2')))).toEqual([]);
    expect(those(({ responses }, path) => !path.startsWith('/api/health') && !('429' in responses))).toEqual([]);
    expect(those(({ requestBody, responses }) => requestBody !== undefined && !('400' in responses))).toEqual([]);
    expect(those(({ security, responses }) => (security ?? []).length > 0 && !('401' in responses))).toEqual([]);
    expect(
      those(
        ({ responses, security }, path) =>
          /\{(device|organization)Id\}/.test(path) &&
          // To a device, its own is the only one.
          !security?.some((scheme) => 'deviceToken' in scheme) &&
          !('404' in responses && '403' in responses),
      ),
    ).toEqual([]);
  });

  it('says of every refusal which headers tell when and with what to come back', () => {
    const due = {
      401: ['WWW-Authenticate'],
      429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
      503: ['Retry-After'],
    };
    const probes = ['/api/health', '/api/health/live', '/api/health/ready'];
    const lacking = operations.flatMap(([name, path, { responses }]) =>
      Object.entries(due)
        // Probes answer a report, not a problem.
        .filter(([status]) => responses[status] && !(status === '503' && probes.includes(path)))
        .filter(([status, headers]) =>
          headers.some((each) => !Object.keys(responses[status]?.headers ?? {}).includes(each)),
        )
        .map(([status]) => `${name} ${status}`),
    );
    expect(lacking).toEqual([]);
  });

  it('describes every body and every problem by a schema', () => {
    const isVague = (schema: Schema | undefined): boolean =>
      schema === undefined || (schema.type === 'object' && schema.properties === undefined);
    const contents = ([status, { content }]: [string, Operation['responses'][string]]): boolean => {
      const media = Object.entries(content ?? {});
      return Number(status) >= 400
        ? !media.some(([type]) => type === 'application/problem+json') && status !== '503'
        : media.some(([type, { schema }]) => type === 'application/json' && isVague(schema));
    };
    expect(those(({ responses }) => Object.entries(responses).some(contents))).toEqual([]);
    expect(
      those(({ requestBody }) => Object.values(requestBody?.content ?? {}).some(({ schema }) => isVague(schema))),
    ).toEqual([]);
    // 204 and 202 have nothing to say; everything else has.
    expect(those(({ responses }) => '200' in responses && responses['200'].content === undefined)).toEqual([]);
  });

  it('shows CSV as text, with the names of its columns', () => {
    const files = operations.flatMap(([, , { requestBody }]) => requestBody?.content['text/csv'] ?? []);
    expect(files).toHaveLength(2);
    expect(
      files.filter(({ schema, example }) => schema.type !== 'string' || !/^[\w.,]+\n/.test(String(example))),
    ).toEqual([]);
    expect(source).not.toContain('x-csv-example');
  });

  it('gives an example of every text and number', () => {
    const plain = ['string', 'number', 'integer'];
    const without = Object.entries(document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, schema]) => plain.includes(schema.type ?? '') && schema.example === undefined && !schema.enum)
        .map(([property]) => `${name}.${property}`),
    );
    expect(without).toEqual([]);
  });
});

/** What people and generators read of sockets. Clients and messages are held against it in clients.spec.ts. */
describe('The AsyncAPI document', () => {
  it('is one, in the eyes of the schema that AsyncAPI publishes', () => {
    const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
    addFormats.default(ajv);
    const validate = ajv.compile(asyncApi.schemasWithoutId['3.0.0'] as object);
    expect([validate(sockets), validate.errors]).toEqual([true, null]);
    expect([
      validate({ ...sockets, operations: { door: { action: 'open' } } }),
      ajv.errorsText(validate.errors),
    ]).toEqual([false, expect.stringContaining('/operations/door')]);
  });

  it('refers to nothing that is not there, and has each message in an operation', () => {
    const references = [...JSON.stringify(sockets).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    const found = (path: string): unknown =>
      path
        .split('/')
        .reduce<unknown>((parent, name) => (parent as Record<string, unknown> | undefined)?.[name], sockets);
    expect(references.filter((path) => found(path) === undefined)).toEqual([]);
    const used = new Set(references);
    const unused = Object.entries(sockets.channels).flatMap(([channel, { messages }]) =>
      Object.keys(messages)
        .map((name) => `channels/${channel}/messages/${name}`)
        .filter((path) => !used.has(path)),
    );
    expect(unused).toEqual([]);
  });

  it('has each message of the contract, with examples that its schemas take', () => {
    const contract = [
      ...Object.keys(FEED_MESSAGES),
      ...Object.keys(CONTROL_MESSAGES),
      ...Object.keys(DASHBOARD_REQUESTS),
      ...Object.keys(REQUEST_ANSWERS).map((request) => `${request}_acknowledgement`),
    ];
    const besides = ['connect', 'connect_error', 'acknowledgement'];
    expect(Object.keys(sockets.channels.dashboard.messages).sort()).toEqual([...contract, ...besides].sort());
    const ofDevices = [DEVICE_REPORTS, DEVICE_ORDERS, DEVICE_NOTICES].flatMap((each) => Object.keys(each));
    expect(Object.keys(sockets.channels.device.messages).sort()).toEqual([...ofDevices, ...besides].sort());
    const ajv = new Ajv({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema({ $id: 'document', ...sockets });
    const wrong = Object.entries(sockets.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties as Record<string, { readonly examples?: unknown[] }>)
        .filter(([member, schema]) => {
          const $ref = `document#/components/schemas/${name}/properties/${member}`;
          return schema.examples?.some((example) => !ajv.validate({ $ref }, example));
        })
        .map(([member]) => `${name}.${member}`),
    );
    expect(wrong).toEqual([]);
  });
});

/**
 * Apps are written by this page: what its tables name, and what they leave out. Seen to fail: before `busy` stood among the refusals
 * of requests, `rate_limited` among those of `closing`, and `ticket_invalid` anywhere.
 */
describe('docs/realtime.md', () => {
  let tables: PageTable[];
  let statuses: ReadonlyMap<string, string>;

  beforeAll(async () => {
    tables = await tablesOf('realtime.md');
    const problems = await readFile('docs/problems.md', 'utf8');
    statuses = new Map(
      [...problems.matchAll(/^### `(\w+)`\n(\d{3})\./gm)].map(([, code = '', status = '']) => [code, status]),
    );
  });

  const rowsOf = (heading: string, head: string): PageTable['rows'] =>
    tables.find((table) => table.heading === heading && table.head[0] === head)?.rows ?? [];
  const namesOf = (rows: PageTable['rows']): string[] => rows.flatMap(([names]) => namesIn(names));
  const schemaOf = ({ $ref }: { readonly $ref: string }): Schema =>
    sockets.components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)] as Schema;

  /** `name`, or `name?` where it may be left out. */
  const membersOf = ({ properties = {}, required = [] }: Schema): string[] =>
    Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`));

  /** Those that a cell begins with: what stands behind a colon or a semicolon are values. */
  const membersIn = (cell = ''): string[] =>
    namesIn(/^(?:`\w+\??`(?:, )?)*/.exec(cell.replaceAll(/ \([^)]*\)/g, ''))?.[0]);

  it('has every event with its types, each with its members', () => {
    const { messages } = sockets.channels.dashboard;
    let event = '';
    const told = rowsOf('What the server sends', 'event').flatMap(([names, types, payload]) => {
      event = namesIn(names)[0] ?? event;
      return namesIn(types).map((type) => [event, type, membersIn(payload).sort()]);
    });
    const due = Object.keys(FEED_MESSAGES).flatMap((name) => {
      const { payload } = messages[name]!;
      return ('oneOf' in payload ? payload.oneOf : [payload]).map((reference) => {
        const [, { properties }] = schemaOf(reference).allOf as [object, { properties: FeedProperties }];
        return [name, properties.type.const, membersOf(schemaOf(properties.payload)).sort()];
      });
    });
    expect(told).toEqual(expect.arrayContaining(due));
    expect(told).toHaveLength(due.length);
  });

  it('has every other message, every request, and every member of a handshake', () => {
    const besides = tables.filter(({ heading, head }) => heading === 'What the server sends' && head[1] === 'payload');
    expect(besides.flatMap(({ rows }) => namesOf(rows)).sort()).toEqual(Object.keys(CONTROL_MESSAGES).sort());
    expect(namesOf(rowsOf('What you may ask', 'request')).sort()).toEqual(Object.keys(DASHBOARD_REQUESTS).sort());
    const handshake = membersOf(schemaOf(sockets.channels.dashboard.messages.connect!.payload as { $ref: string }));
    const [faults = []] = rowsOf('Connecting', '`code`').filter(([code]) => code === '`invalid_request`');
    expect(namesIn(faults[2])).toEqual(expect.arrayContaining(handshake.map((name) => `/${name.replace('?', '')}`)));
  });

  it('names problems that there are, each with its status', () => {
    const refusals = tables.filter(({ head }) => head[1] === 'status').flatMap(({ rows }) => rows);
    expect(refusals.length).toBeGreaterThan(30);
    const wrong = refusals.flatMap(([codes, status]) => namesIn(codes).filter((code) => statuses.get(code) !== status));
    expect(wrong).toEqual([]);
    const closing = tables.flatMap(({ rows }) => rows.filter(([name]) => name === '`closing`'));
    expect(closing).toHaveLength(2);
    const [socket = [], stream = []] = closing.map((cells) =>
      namesIn(cells.at(-1)).filter((name) => statuses.has(name)),
    );
    expect(stream.sort()).toEqual(['service_unavailable', 'shutting_down', 'token_expired']);
    // A stream takes no messages.
    expect(socket.sort()).toEqual(['rate_limited', ...stream]);
  });

  it('names every refusal of streams, of polling and of commands, as the OpenAPI document has them', () => {
    const due = (path: string, method: string): string[] =>
      Object.values(document.paths[path]?.[method]?.responses ?? {})
        .flatMap(({ content }) => Object.keys(content?.['application/problem+json']?.examples ?? {}))
        .filter((code) => code !== 'internal_error')
        .sort();
    expect(namesOf(rowsOf('Event streams', 'refused')).sort()).toEqual(due('/api/v1/events/stream', 'get'));
    expect(namesOf(rowsOf('Polling', 'refused')).sort()).toEqual(due('/api/v1/events', 'get'));
    const ofCommands = rowsOf('What you may ask', '`code`').filter(
      ([, , of = '']) => of === 'any' || of.startsWith('all but') || namesIn(of).includes('send_command'),
    );
    // A socket has its person already, and neither headers nor a body of a kind.
    const ofHttp = [
      ...['unauthenticated', 'token_expired', 'token_invalid', 'address_blocked', 'body_too_large'],
      ...['unsupported_media_type', 'invalid_prefer', 'invalid_idempotency_key', 'idempotency_key_required'],
    ];
    const commands = due('/api/v1/devices/{deviceId}/commands', 'post').filter((code) => !ofHttp.includes(code));
    expect(namesOf(ofCommands).sort()).toEqual(commands);
  });
});
