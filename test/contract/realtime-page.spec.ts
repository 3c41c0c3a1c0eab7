/**
 * Apps are written by docs/realtime.md: what its tables name, and what they leave out, is held against the documents as they were
 * built. Seen to fail: before `busy` stood among the refusals of requests, `rate_limited` among those of `closing`, and
 * `ticket_invalid` anywhere.
 */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { CONTROL_MESSAGES, DASHBOARD_REQUESTS, FEED_MESSAGES } from '../../src/contracts/realtime.js';
import { namesIn, type PageTable, tablesOf } from '../support/page-tables.js';
import { type DocumentSchema, builtDocuments, type BuiltDocuments } from '../support/built-document.js';

interface FeedProperties {
  readonly type: { readonly const: string };
  readonly payload: { readonly $ref: string };
}

let document: BuiltDocuments['document'];
let sockets: BuiltDocuments['sockets'];
let tables: PageTable[];
let statuses: ReadonlyMap<string, string>;

beforeAll(async () => {
  ({ document, sockets } = await builtDocuments());
  tables = await tablesOf('realtime.md');
  const problems = await readFile('docs/problems.md', 'utf8');
  statuses = new Map(
    [...problems.matchAll(/^### `(\w+)`\n(\d{3})\./gm)].map(([, code = '', status = '']) => [code, status]),
  );
}, 120_000);

const rowsOf = (heading: string, head: string): PageTable['rows'] =>
  tables.find((table) => table.heading === heading && table.head[0] === head)?.rows ?? [];
const namesOf = (rows: PageTable['rows']): string[] => rows.flatMap(([names]) => namesIn(names));
const schemaOf = ({ $ref }: { readonly $ref: string }): DocumentSchema =>
  sockets.components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)] as DocumentSchema;

/** `name`, or `name?` where it may be left out. */
const membersOf = ({ properties = {}, required = [] }: DocumentSchema): string[] =>
  Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`));

/** Those that a cell begins with: what stands behind a colon or a semicolon are values. */
const membersIn = (cell = ''): string[] =>
  namesIn(/^(?:`\w+\??`(?:, )?)*/.exec(cell.replaceAll(/ \([^)]*\)/g, ''))?.[0]);

describe('docs/realtime.md', () => {
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
