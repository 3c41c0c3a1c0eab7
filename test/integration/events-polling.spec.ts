/** `GET /events`: what followed a cursor, for clients that ask again and again. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { NewEvent } from '../../src/contracts/events.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { connectionKind } from '../../src/platform/prisma/connection-quota.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { Clock } from '../../src/shared/clock.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { type AnswerOrProblem, OrganizationsFixture } from '../support/organizations.fixture.js';
import { logIsComplete } from '../support/log-horizon.js';
import { eventually } from '../support/wait.js';

interface Polled {
  readonly items: readonly {
    readonly type: string;
    readonly deviceId: string | null;
    readonly cursor: string;
    readonly receivedAt: string;
  }[];
  readonly cursor: string;
  readonly more: boolean;
}

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let cursor: string;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start();
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  ada = await fixture.createAccount('ada');
  cursor = (await poll('')).body.cursor;
});

function poll(query: string, headers: Record<string, string> = {}, who = ada): Promise<AnswerOrProblem<Polled>> {
  return fixture.request<Polled>(who, 'GET', `/events${query}`, undefined, headers);
}

interface Of {
  readonly userId?: string;
  readonly deviceId?: string;
  readonly type?: 'custom';
}

async function happen(count: number, of: Of): Promise<void> {
  const log = fixture.application.get(EventLog);
  const event = { type: 'motion_detected', payload: {}, source: 'system', actor: 'system', ...of } as NewEvent;
  await fixture.application.get(Transactions).run(() => log.append(Array.from({ length: count }, () => event)));
  await logIsComplete(fixture.sql);
}

describe('Polling', () => {
  it('begins with a cursor and no events, and goes on page by page', async () => {
    expect((await poll('')).body).toMatchObject({ items: [], more: false });
    await happen(5, { userId: ada.id });
    const first = (await poll(`?after=${cursor}&limit=3`)).body;
    expect([first.items.length, first.more, first.cursor]).toEqual([3, true, first.items.at(-1)?.cursor]);
    const second = (await poll(`?after=${first.cursor}&limit=3`)).body;
    expect([second.items.length, second.more]).toEqual([2, false]);
    expect((await poll(`?after=${second.cursor}`)).body).toEqual({ items: [], cursor: second.cursor, more: false });
    // The same members as in the history of a device.
    expect(Object.keys(first.items[0]!)).toEqual(expect.arrayContaining(['source', 'correlationId', 'receivedAt']));
  });

  it('shows a person their devices, those of their organizations, and those that they name; each look is audited', async () => {
    const [grace, guest] = [await fixture.createAccount('grace'), await fixture.createAccount('guest')];
    const organization = await fixture.createOrganization(ada);
    await fixture.addMember(grace, 'VIEWER', organization.id);
    const [common, shared] = [await fixture.registerDevice(ada), await fixture.registerDevice(ada)];
    await fixture.request(ada, 'PATCH', `/devices/${common.id}`, { organizationId: organization.id });
    await fixture.request(ada, 'POST', `/devices/${shared.id}/shares`, { email: guest.email, permission: 'view' });
    cursor = (await poll('')).body.cursor;
    await happen(1, { deviceId: common.id, userId: ada.id });
    await happen(1, { deviceId: shared.id, userId: ada.id });
    await happen(1, {});
    // The guest is told of the share, sooner or later.
    const seen = async (who: InsertedAccount, query = ''): Promise<unknown[]> =>
      (await poll(`?after=${cursor}${query}`, {}, who)).body.items
        .filter(({ type }) => type !== 'notification')
        .map(({ deviceId }) => deviceId);
    expect(await seen(ada)).toEqual([common.id, shared.id]);
    expect(await seen(grace)).toEqual([common.id]);
    expect(await seen(guest)).toEqual([]);
    expect(await seen(guest, `&deviceId=${shared.id}`)).toEqual([shared.id]);
    expect(await seen(guest, `&deviceId=${shared.id}&type=low_battery`)).toEqual([]);
    const refused = await poll(`?after=${cursor}&deviceId=${shared.id}`, {}, grace);
    expect([refused.status, refused.body.code]).toEqual([404, 'not_found']);
    const entries = await fixture.sql.rows(
      `SELECT action, entity_id AS id, actor FROM audit_entries WHERE actor = ANY ($1) AND action LIKE '%watched' ORDER BY action`,
      [[`user:${ada.id}`, `user:${grace.id}`, `user:${guest.id}`]],
    );
    expect(entries).toEqual([
      { action: 'device_watched', id: shared.id, actor: `user:${guest.id}` },
      { action: 'organization_watched', id: organization.id, actor: `user:${ada.id}` },
      { action: 'organization_watched', id: organization.id, actor: `user:${grace.id}` },
    ]);
  });

  it('looks through a stretch of the log at a time: a page may be empty and have more behind it', async () => {
    const [grace, stranger] = [await fixture.createAccount('grace'), await fixture.createAccount('stranger')];
    const { id } = await fixture.createOrganization(grace);
    expect(id).not.toBe('');
    const { cursor: start } = (await poll('', {}, grace)).body;
    await happen(5_200, { userId: stranger.id });
    await happen(1, { userId: grace.id });
    const first = (await poll(`?after=${start}`, {}, grace)).body;
    expect([first.items, first.more]).toEqual([[], true]);
    const second = (await poll(`?after=${first.cursor}`, {}, grace)).body;
    expect([second.items.length, second.more]).toEqual([1, false]);
  });

  it('answers 304 while nothing is new, to who goes on with the new cursor as well', async () => {
    await happen(1, { userId: ada.id });
    const { headers, body } = await poll(`?after=${cursor}`);
    expect([headers.get('cache-control'), headers.get('last-modified')]).toEqual([
      'private, no-cache',
      new Date(Math.floor(Date.parse(body.items[0]!.receivedAt) / 1_000) * 1_000).toUTCString(),
    ]);
    const again = await poll(`?after=${cursor}`, { 'if-none-match': headers.get('etag') ?? '' });
    expect([again.status, again.body]).toEqual([304, undefined]);
    const empty = await poll(`?after=${body.cursor}`);
    const tag = empty.headers.get('etag') ?? '';
    expect([empty.status, (await poll(`?after=${empty.body.cursor}`, { 'if-none-match': tag })).status]).toEqual([
      200, 304,
    ]);
    await happen(1, { userId: ada.id });
    expect((await poll(`?after=${empty.body.cursor}`, { 'if-none-match': tag })).body.items).toHaveLength(1);
    expect((await poll(`?after=${cursor}`, { 'if-none-match': headers.get('etag') ?? '' })).body.items).toHaveLength(2);
  });

  it('answers who asks where the log stands with the cursor of now, whatever a browser has kept', async () => {
    const first = await poll('');
    const ask = { 'if-none-match': first.headers.get('etag') ?? '', 'if-modified-since': new Date().toUTCString() };
    expect((await poll('', ask)).status).toBe(304);
    await happen(1, { userId: ada.id });
    await eventually('that is read', async () => (await poll(`?after=${cursor}`)).body.items.length === 1);
    const second = await poll('', ask);
    expect([second.status, (await poll(`?after=${second.body.cursor}`)).body.items]).toEqual([200, []]);
  });

  it('honours a date only where no more events can come to its second', async () => {
    await happen(1, { userId: ada.id });
    const fresh = await poll(`?after=${cursor}`);
    const date = fresh.headers.get('last-modified') ?? '';
    expect((await poll(`?after=${cursor}`, { 'if-modified-since': date })).status).toBe(200);
    // An hour later.
    await fixture.sql.rows(`UPDATE events SET received_at = received_at - interval '1 hour' WHERE user_id = $1`, [
      ada.id,
    ]);
    const old = (await poll(`?after=${cursor}`)).headers.get('last-modified') ?? '';
    expect((await poll(`?after=${cursor}`, { 'if-modified-since': old })).status).toBe(304);
    const earlier = new Date(Date.parse(old) - 1_000).toUTCString();
    expect((await poll(`?after=${cursor}`, { 'if-modified-since': earlier })).status).toBe(200);
    // A tag counts in its place.
    const both = { 'if-modified-since': old, 'if-none-match': '"other"' };
    expect((await poll(`?after=${cursor}`, both)).status).toBe(200);
  });

  /** Seen to fail: 304 for both, which hid an event. */
  it('does not take a second for over because the clock of the process is ahead, or a page of it was read', async () => {
    const at = (time: string): Promise<unknown> =>
      fixture.sql.rows(`UPDATE events SET received_at = ${time} WHERE user_id = $1`, [ada.id]);
    const ahead = jest.spyOn(fixture.application.get(Clock), 'now').mockReturnValue(Date.now() + 120_000);
    await happen(1, { userId: ada.id });
    await at(`date_trunc('second', received_at)`);
    const date = (await poll(`?after=${cursor}`)).headers.get('last-modified') ?? '';
    await happen(1, { userId: ada.id });
    await at(`(SELECT min(received_at) FROM events WHERE user_id = $1)`);
    const again = await poll(`?after=${cursor}`, { 'if-modified-since': date });
    ahead.mockRestore();
    expect([again.status, again.body.items.length]).toEqual([200, 2]);
    await at(`received_at - interval '1 hour'`);
    const first = await poll(`?after=${cursor}&limit=1`);
    const next = await poll(`?after=${first.body.cursor}`, {
      'if-modified-since': first.headers.get('last-modified') ?? '',
    });
    expect([next.status, next.body.items.length]).toEqual([200, 1]);
  });

  it.each([
    ['invalid_cursor', 400, 'after=MS4x'],
    ['invalid_request', 400, `after=${'A'.repeat(600)}`],
    ['invalid_request', 400, 'limit=0'],
    ['invalid_request', 400, 'deviceId=door'],
    ['invalid_request', 400, 'cursor=MS4x'],
    ['invalid_request', 400, 'type=nothing'],
    ['cursor_expired', 400, `after=${Buffer.from('0198c1de-3f5b-7000-8000-3f3c0f6a7a55.7.7').toString('base64url')}`],
  ])('refuses as %s', async (code, status, query) => {
    const answer = await poll(`?${query}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('names the member that had no cursor', async () => {
    expect((await poll('?after=MS4x')).body).toMatchObject({
      errors: [{ pointer: '/after', detail: '`after` is not one of this list; take `cursor` as it was answered' }],
    });
  });
});

describe('With Prefer: wait, polling', () => {
  const waiting = { prefer: 'wait=20' };

  it('answers when something happens, and not before', async () => {
    let isAnswered = false;
    const answer = poll(`?after=${cursor}`, waiting).finally(() => {
      isAnswered = true;
    });
    const stranger = await fixture.createAccount('stranger');
    await happen(1, { userId: stranger.id });
    await eventually(
      'that was read',
      async () => (await poll(`?after=${cursor}`, {}, stranger)).body.items.length === 1,
    );
    expect(isAnswered).toBe(false);
    await happen(1, { userId: ada.id });
    const { body, headers } = await answer;
    expect([body.items.length, headers.get('preference-applied')]).toEqual([1, 'wait=20']);
  });

  it('answers when something happens that neither sockets nor streams carry', async () => {
    let isAnswered = false;
    const answer = poll(`?after=${cursor}`, { prefer: 'wait=30' }).finally(() => {
      isAnswered = true;
    });
    await eventually('it waits', async () => (await fixture.application.metric('mortise_event_waiters')) === 1);
    await happen(1, { userId: ada.id, type: 'custom' });
    await eventually('it is answered', () => isAnswered, 10_000);
    expect((await answer).body.items).toMatchObject([{ type: 'custom' }]);
  });

  it('answers at once where there is something, and with nothing when the time is over', async () => {
    expect((await poll(`?after=${cursor}`, { prefer: 'wait=1' })).body).toMatchObject({ items: [], more: false });
    await happen(1, { userId: ada.id });
    expect((await poll(`?after=${cursor}`, waiting)).body.items).toHaveLength(1);
    expect((await poll(`?after=${cursor}`, { prefer: 'wait=soon' })).body.code).toBe('invalid_prefer');
  });

  it('tells nothing to who was signed out meanwhile', async () => {
    const answer = poll(`?after=${cursor}`, waiting);
    await eventually('it waits', async () => (await fixture.application.metric('mortise_event_waiters')) === 1);
    expect((await fixture.request(ada, 'POST', '/auth/logout')).status).toBe(204);
    await happen(1, { userId: ada.id });
    const { status, body } = await answer;
    expect([status, body.code]).toEqual([401, 'session_ended']);
  });

  it('is one of twenty of a person, and leaves its place when its client hangs up', async () => {
    const clients = Array.from({ length: 20 }, () => new AbortController());
    const grace = await fixture.createAccount('grace');
    const waited = (): Promise<number> => fixture.application.metric('mortise_event_waiters');
    const answers = clients.map(({ signal }) =>
      fetch(`${fixture.application.url}/api/v1/events?after=${cursor}`, {
        headers: { prefer: 'wait=30', authorization: `Bearer ${ada.accessToken}` },
        signal,
      }).catch((error: unknown) => error),
    );
    await eventually('all wait', async () => (await waited()) === 20);
    const { status, body, headers } = await poll(`?after=${cursor}`, waiting);
    expect([status, body.code, headers.get('retry-after')]).toEqual([429, 'too_many_waiting', '5']);
    expect((await poll(`?after=${cursor}`)).status).toBe(200);
    expect((await poll(`?after=${cursor}`, { prefer: 'wait=1' }, grace)).status).toBe(200);
    clients.forEach((client) => {
      client.abort();
    });
    await Promise.all(answers);
    // Long before their time is over.
    await eventually('their places are free', async () => (await waited()) === 0, 10_000);
  });

  it('counts as a read, however long it waits', async () => {
    const log = fixture.application.get(EventLog);
    const kinds: unknown[] = [];
    const feedPage = log.feedPage.bind(log);
    const spy = jest.spyOn(log, 'feedPage').mockImplementation((query) => {
      kinds.push(connectionKind());
      return feedPage(query);
    });
    await poll(`?after=${cursor}`, { prefer: 'wait=1' });
    spy.mockRestore();
    expect(kinds).toEqual(['reads', 'reads']);
  });
});
