/** Server-sent events: what happens, from where a client left off, until its session ends. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AppConfig } from '../../src/config/app-config.js';
import { EventStreamRegistry } from '../../src/features/realtime/streams/event-stream-registry.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { EventStreamClient, type StreamOptions } from '../support/event-stream-client.js';
import { appendMarked, type EventSubject, heard, marksOf } from '../support/marked-events.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { request } from '../support/rest.js';
import { eventually } from '../support/wait.js';

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let quiet: InsertedAccount;
let silent: EventStreamClient;
let silentSince: number;
const opened: EventStreamClient[] = [];

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ CORS_ORIGINS: 'https://app.example.com', REQUEST_TIMEOUT: '5s' });
  ada = await fixture.createAccount('ada');
  quiet = await fixture.createAccount('quiet');
  silent = await open(quiet);
  silentSince = performance.now();
}, 60_000);

afterAll(async () => {
  opened.forEach((stream) => {
    stream.close();
  });
  await fixture.stop();
});

beforeEach(async () => {
  ada = await fixture.createAccount('ada');
});

async function open(who: InsertedAccount | null, query = '', options: StreamOptions = {}): Promise<EventStreamClient> {
  const token = who === null ? {} : { token: who.accessToken };
  const stream = await EventStreamClient.open(fixture.application.url, query, { ...token, ...options });
  opened.push(stream);
  return stream.status === 200 ? stream.joined() : stream;
}

const happen = (count: number, of: EventSubject, size = 0): Promise<string[]> =>
  appendMarked(fixture.application, count, of, size);

describe('An event stream', () => {
  it('carries the messages of sockets, each with its cursor as id, under headers that no cache or proxy holds back', async () => {
    const stream = await open(ada, '', { headers: { 'accept-encoding': 'gzip, br' } });
    const { headers, retries } = stream;
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'transfer-encoding': 'chunked',
    });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).toHaveProperty('x-request-id');
    expect(retries[0]).toBeGreaterThanOrEqual(1_000);
    expect(stream.lastEventId).not.toBe('');
    const { id } = await fixture.registerDevice(ada);
    const first = await eventually('a message', () => stream.received[0]);
    expect(first).toMatchObject({ event: 'device_status', data: { type: 'device_registered', deviceId: id } });
    expect(first.id).toBe(stream.feed[0]?.cursor);
    expect(Object.keys(first.data as object).sort()).toEqual(
      'actor commandId cursor deviceId id occurredAt payload receivedAt type version'.split(' '),
    );
  });

  it('goes on from the last event that its client has, without gap or repeat, while others write', async () => {
    const before = await open(ada);
    const marks = await happen(3, { userId: ada.id });
    expect(await heard(before, marks)).toEqual(marks);
    before.close();
    await fixture.registerDevice(ada);
    const missed = await happen(450, { userId: ada.id });
    const writing = new AbortController();
    const during: string[] = [];
    const writer = (async () => {
      while (!writing.signal.aborted) {
        during.push(...(await happen(2, { userId: ada.id })));
      }
    })();
    const after = await open(ada, '', { headers: { 'last-event-id': before.lastEventId } });
    await eventually('it caught up', () => during.some((mark) => marksOf(after).includes(mark)));
    await eventually('it goes on', () => marksOf(after).length > missed.length + 60);
    writing.abort();
    await writer;
    expect((await heard(after, during)).filter((mark) => mark !== '')).toEqual([...missed, ...during]);
  });

  it('takes the header before the address, spaces off, and the address where the header is empty', async () => {
    const stream = await open(ada);
    const [first] = await happen(1, { userId: ada.id });
    await heard(stream, [first!]);
    const early = stream.lastEventId;
    const [second] = await happen(1, { userId: ada.id });
    await heard(stream, [second!]);
    const late = stream.lastEventId;
    const [third] = await happen(1, { userId: ada.id });
    const cases: readonly [string, Record<string, string>, string[]][] = [
      [`?after=${early}`, {}, [second!, third!]],
      [`?lastEventId=${early}`, {}, [second!, third!]],
      [`?after=${late}&lastEventId=${early}`, {}, [second!, third!]],
      [`?after=${early}`, { 'last-event-id': late }, [third!]],
      [`?after=${early}`, { 'last-event-id': `  ${late}\t` }, [third!]],
      [`?after=${early}`, { 'last-event-id': '   ' }, [second!, third!]],
      ['?after=', { 'last-event-id': late }, [third!]],
    ];
    for (const [query, headers, expected] of cases) {
      const again = await open(ada, query, { headers });
      expect([query, headers, await heard(again, [third!])]).toEqual([query, headers, expected]);
      again.close();
    }
    const fromNow = await open(ada, '?after=');
    const [fourth] = await happen(1, { userId: ada.id });
    expect(await heard(fromNow, [fourth!])).toEqual([fourth]);
  });

  it('goes on from where it began, when nothing had happened', async () => {
    const stream = await open(ada);
    stream.close();
    const marks = await happen(2, { userId: ada.id });
    expect(await heard(await open(ada, `?after=${stream.lastEventId}`), marks)).toEqual(marks);
  });

  it.each(['no cursor', 'MS4x', 'x'.repeat(600), 'ä'])(
    'tells a client with the cursor %s to read again',
    async (cursor) => {
      const stream = await open(ada, '', { headers: { 'last-event-id': Buffer.from(cursor).toString('latin1') } });
      const reset = await eventually('it is told', () => stream.received[0]);
      expect(reset).toMatchObject({ event: 'reset', data: { cursor: reset.id } });
      const marks = await happen(1, { userId: ada.id });
      expect(await heard(stream, marks)).toEqual(marks);
      stream.close();
      const more = await happen(1, { userId: ada.id });
      expect(await heard(await open(ada, `?after=${stream.lastEventId}`), more)).toEqual(more);
    },
  );

  it('tells a client that missed too much to read again, and goes on', async () => {
    const stream = await open(ada);
    stream.close();
    await happen(2_100, { userId: ada.id });
    const again = await open(ada, `?after=${stream.lastEventId}`);
    await eventually('it is told', () => again.of('reset').length === 1);
    const marks = await happen(1, { userId: ada.id });
    await heard(again, marks);
  });
});

describe('Who hears what', () => {
  it('is the feed of a person: their devices, those of their organizations, those that they name', async () => {
    const [grace, guest, stranger] = [
      await fixture.createAccount('grace'),
      await fixture.createAccount('guest'),
      await fixture.createAccount('stranger'),
    ];
    const organization = await fixture.createOrganization(ada);
    await fixture.addMember(grace, 'VIEWER', organization.id);
    const [common, shared] = [await fixture.registerDevice(ada), await fixture.registerDevice(ada)];
    await fixture.request(ada, 'PATCH', `/devices/${common.id}`, { organizationId: organization.id });
    await fixture.request(ada, 'POST', `/devices/${shared.id}/shares`, { email: guest.email, permission: 'view' });
    const refused = await open(stranger, `?deviceId=${shared.id}`);
    expect([refused.status, (await refused.problem()).code]).toEqual([404, 'not_found']);
    const streams = {
      owner: await open(ada),
      member: await open(grace),
      guest: await open(guest, `?deviceId=${shared.id.toUpperCase()}&deviceId=${shared.id}`),
      stranger: await open(stranger),
    };
    const [ofCommon] = await happen(1, { deviceId: common.id, userId: ada.id });
    const [ofShared] = await happen(1, { deviceId: shared.id, userId: ada.id });
    const last = await Promise.all([ada, grace, guest, stranger].map(({ id }) => happen(1, { userId: id })));
    const told = await Promise.all(
      Object.values(streams).map(async (stream, index) => {
        const known = { [ofCommon!]: 'common', [ofShared!]: 'shared', [last[index]![0]!]: 'own' };
        return (await heard(stream, last[index]!)).map((mark) => known[mark]);
      }),
    );
    expect(told).toEqual([['common', 'shared', 'own'], ['common', 'own'], ['shared', 'own'], ['own']]);
    const entries = await fixture.sql.rows<{ action: string; entity_id: string; actor: string }>(
      `SELECT action, entity_id, actor FROM audit_entries WHERE action IN ('device_watched', 'organization_watched')
          AND actor = ANY ($1) ORDER BY action`,
      [[grace.id, guest.id, stranger.id].map((id) => `user:${id}`)],
    );
    expect(entries).toEqual([
      { action: 'device_watched', entity_id: shared.id, actor: `user:${guest.id}` },
      { action: 'organization_watched', entity_id: organization.id, actor: `user:${grace.id}` },
    ]);

    const shares = await fixture.request<{ items: { id: string }[] }>(ada, 'GET', `/devices/${shared.id}/shares`);
    await fixture.request(ada, 'DELETE', `/devices/${shared.id}/shares/${shares.body.items[0]!.id}`);
    const [unseen] = await happen(1, { deviceId: shared.id, userId: ada.id });
    const [end] = await happen(1, { userId: guest.id });
    expect(await heard(streams.guest, [end!])).not.toContain(unseen);
  });

  it('is bounded: so many devices, so many streams of a person at once', async () => {
    const ids = Array.from({ length: 101 }, () => `deviceId=${randomUUID()}`).join('&');
    expect(await (await open(ada, `?${ids}`)).problem()).toMatchObject({ code: 'invalid_request' });
    const answers = await Promise.all(Array.from({ length: 60 }, () => open(ada)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(refused).toHaveLength(40);
    expect(await fixture.application.metric('mortise_live_refusals_total{of="streams"}')).toBe(40);
    expect([await refused[0]!.problem(), refused[0]!.headers['retry-after']]).toMatchObject([
      { code: 'too_many_streams' },
      '15',
    ]);
    // A neighbour does not notice, and there is room when one is closed.
    expect((await open(await fixture.createAccount('neighbour'))).status).toBe(200);
    answers.find(({ status }) => status === 200)?.close();
    await eventually('there is room', async () => (await open(ada)).status === 200);
  });
});

describe('Around an event stream', () => {
  it('HEAD answers what GET begins with, and opens nothing', async () => {
    const head = await request(fixture.application.url, 'HEAD', '/api/v1/events/stream', { token: ada.accessToken });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(head.headers.get('content-length')).toBeNull();
    const options = await request(fixture.application.url, 'OPTIONS', '/api/v1/events/stream');
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
  });

  it('pages of the listed origins may read it, and no other', async () => {
    const [listed, other] = [
      await open(ada, '', { headers: { origin: 'https://app.example.com' } }),
      await open(ada, '', { headers: { origin: 'https://evil.example.com' } }),
    ];
    expect(listed.headers['access-control-allow-origin']).toBe('https://app.example.com');
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
    const preflight = await request(fixture.application.url, 'OPTIONS', '/api/v1/events/stream', {
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization,last-event-id',
      },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization,last-event-id',
    ]);
  });

  it('is counted while it is open, and is no slow answer when it ends', async () => {
    const before = await fixture.application.metric('mortise_event_streams');
    const stream = await open(ada);
    expect(await fixture.application.metric('mortise_event_streams')).toBe(before + 1);
    stream.close();
    await eventually(
      'it is counted out',
      async () => (await fixture.application.metric('mortise_event_streams')) === before,
    );
    const series =
      'mortise_http_request_duration_seconds_count{method="GET",route="/api/v1/events/stream",status="200"}';
    expect(await fixture.application.metric(series)).toBe(0);
  });

  it('who reads too slowly is cut, and goes on from where it was; others hear everything meanwhile', async () => {
    const [slow, neighbour] = [await open(ada), await open(ada)];
    slow.pause();
    const marks: string[] = [];
    const cuts = (): Promise<number> => fixture.application.metric('mortise_event_streams_cut_total');
    await eventually('it is cut', async () => {
      marks.push(...(await happen(50, { userId: ada.id }, 8_000)));
      return (await cuts()) === 1;
    });
    expect(await heard(neighbour, marks)).toEqual(marks);
    slow.resume();
    await slow.ended();
    const read = marksOf(slow);
    expect(read.length).toBeLessThan(marks.length);
    const again = await open(ada, `?after=${slow.lastEventId}`);
    expect([...read, ...(await heard(again, marks))]).toEqual(marks);
  });

  it('a comment comes where nothing happens, and the time of a request does not end it', async () => {
    const registry = fixture.application.get(EventStreamRegistry);
    const { stream } = registry.all().find(({ userId }) => userId === quiet.id)!;
    const silence = jest.spyOn(stream, 'silentMs', 'get').mockReturnValue(13_999);
    registry.look();
    // The next look is the application’s own.
    silence.mockReturnValue(14_000);
    await eventually('a comment', () => silent.comments > 0);
    silence.mockRestore();
    const { requestTimeoutMs } = fixture.application.get(AppConfig).http;
    await eventually('more time than a request has', () => performance.now() - silentSince > requestTimeoutMs + 1_000);
    expect([silent.isEnded, silent.received]).toEqual([false, []]);
    await happen(1, { userId: quiet.id });
    await eventually('it is heard', () => silent.received.length === 1);
  });
});
