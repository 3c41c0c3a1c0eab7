/** `GET /events` with a parameter of the history, and the same filters for one device. Two tenants in each case. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventType, NewEvent } from '../../src/contracts/events.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { logIsComplete } from '../support/log-horizon.js';
import { type AnswerOrProblem, OrganizationsFixture } from '../support/organizations.fixture.js';

interface Listed {
  readonly items: readonly {
    readonly type: string;
    readonly deviceId: string | null;
    readonly cursor: string;
    readonly receivedAt: string;
    readonly payload: { readonly zone?: string; readonly errorMessage?: string };
  }[];
  readonly nextCursor: string | null;
  readonly previousCursor: string | null;
  readonly cursor: string;
  readonly more: boolean;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}
type Happening = Omit<Partial<NewEvent>, 'type' | 'payload'> & {
  readonly type?: EventType;
  readonly payload?: Readonly<Record<string, unknown>>;
};
interface Seen {
  readonly id: string;
  readonly actor?: string;
}

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let eve: InsertedAccount;
let door: Seen;
let others: Seen;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
}, 60_000);

afterAll(() => fixture.stop());

/** Each has a door, and the same happens at both. */
beforeEach(async () => {
  [ada, eve] = await Promise.all([fixture.createAccount('ada'), fixture.createAccount('eve')]);
  [door, others] = await Promise.all([fixture.registerDevice(ada), fixture.registerDevice(eve)]);
});

const list = (query: string, who = ada): Promise<AnswerOrProblem<Listed>> =>
  fixture.request<Listed>(who, 'GET', `/events?${query}`);
const zones = ({ body }: { readonly body: Listed }): unknown[] => body.items.map(({ payload }) => payload.zone);

async function happen(events: readonly Happening[]): Promise<void> {
  const log = fixture.application.get(EventLog);
  const base = { type: 'motion_detected', payload: {}, source: 'mqtt', actor: 'system' };
  await fixture.application
    .get(Transactions)
    .run(() => log.append(events.map((event) => ({ ...base, ...event }) as NewEvent)));
  await logIsComplete(fixture.sql);
}

/** Motion at Ada's door, and the same at Eve's. */
const motion = (more: readonly Happening[]): Promise<void> =>
  happen(
    more.flatMap((event) => [
      { deviceId: door.id, userId: ada.id, ...event },
      { deviceId: others.id, userId: eve.id, ...event },
    ]),
  );
const zone = (name: string): Happening => ({ payload: { zone: name } });

describe('The history of all that a person sees', () => {
  it('is read in both directions, in either order, without a gap', async () => {
    await motion(['1', '2', '3', '4', '5'].map(zone));
    for (const [order, all] of [
      ['asc', ['1', '2', '3', '4', '5']],
      ['desc', ['5', '4', '3', '2', '1']],
    ] as const) {
      const query = `order=${order}&limit=2&type=motion_detected`;
      const first = await list(query);
      const second = await list(`${query}&cursor=${first.body.nextCursor!}`);
      const third = await list(`${query}&cursor=${second.body.nextCursor!}`);
      expect([first, second, third].flatMap(zones)).toEqual(all);
      expect([first.body.previousCursor, third.body.nextCursor]).toEqual([null, null]);
      const back = await list(`${query}&cursor=${third.body.previousCursor!}`);
      const begin = await list(`${query}&cursor=${back.body.previousCursor!}`);
      expect([zones(back), zones(begin), begin.body.previousCursor]).toEqual([all.slice(2, 4), all.slice(0, 2), null]);
      expect(zones(await list(`${query}&cursor=${begin.body.nextCursor!}`))).toEqual(all.slice(2, 4));
    }
  });

  it('is followed from where it was read', async () => {
    await motion([zone('1')]);
    const { body } = await list('order=desc');
    await motion([zone('2')]);
    expect(zones(await list(`after=${body.cursor}`))).toContain('2');
    expect(zones(await list(`after=${body.cursor}`))).not.toContain('1');
  });

  it('is that of my devices, of those of my organizations, and of those that are shared with me at that moment', async () => {
    const [grace, guest] = await Promise.all([fixture.createAccount('grace'), fixture.createAccount('guest')]);
    const { id: organizationId } = await fixture.createOrganization(ada);
    await fixture.addMember(grace, 'VIEWER', organizationId);
    const hall = await fixture.registerDevice(ada);
    await fixture.request(ada, 'PATCH', `/devices/${hall.id}`, { organizationId });
    const share = { email: guest.email, permission: 'view' };
    const { body: given } = await fixture.request(ada, 'POST', `/devices/${door.id}/shares`, share);
    await motion([zone('door')]);
    await happen([{ deviceId: hall.id, userId: ada.id, payload: { zone: 'hall' } }]);
    const seen = async (who: InsertedAccount, more = ''): Promise<unknown[]> =>
      zones(await list(`order=asc&type=motion_detected${more}`, who));
    expect(await seen(ada)).toEqual(['door', 'hall']);
    expect([await seen(grace), await seen(guest), await seen(eve)]).toEqual([['hall'], ['door'], ['door']]);
    expect(await seen(ada, `&deviceId=${hall.id}`)).toEqual(['hall']);
    const foreign = await list(`order=asc&deviceId=${door.id}&deviceId=${others.id}`);
    expect([foreign.status, foreign.body.code]).toEqual([404, 'not_found']);
    const entries = await fixture.sql.rows(
      `SELECT entity_id AS id, actor FROM audit_entries WHERE action = 'device_history_read' ORDER BY id`,
    );
    expect(entries).toHaveLength(2);
    expect(entries).toEqual(
      expect.arrayContaining([
        { id: hall.id, actor: `user:${grace.id}` },
        { id: door.id, actor: `user:${guest.id}` },
      ]),
    );
    await fixture.sql.rows('UPDATE device_shares SET valid_until = now() WHERE id = $1', [given.id]);
    expect(await seen(guest)).toEqual([]);
    expect((await list(`order=asc&deviceId=${door.id}`, guest)).status).toBe(404);
  });

  it('begins for each device with its present owner, and leaves out what is no longer mine', async () => {
    await motion([zone('of the seller')]);
    await fixture.sql.rows(
      `UPDATE devices SET owner_id = CASE WHEN id = $1 THEN $4::uuid ELSE $3::uuid END, owned_since = clock_timestamp() WHERE id IN ($1, $2)`,
      [door.id, others.id, ada.id, eve.id],
    );
    await happen([
      { deviceId: others.id, userId: ada.id, payload: { zone: 'mine' } },
      // It happened before, and came late.
      { deviceId: others.id, userId: ada.id, payload: { zone: 'late' }, occurredAt: new Date(Date.now() - 60_000) },
    ]);
    expect(zones(await list('order=asc&type=motion_detected'))).toEqual(['mine']);
    expect(zones(await list(`order=asc&type=motion_detected&deviceId=${others.id}`))).toEqual(['mine']);
    expect(zones(await list('order=asc&type=motion_detected', eve))).toEqual([]);
  });

  it('shows an event once to who sold its device and follows it still', async () => {
    const guest = await fixture.createAccount('guest');
    await happen([{ deviceId: door.id, userId: guest.id, payload: { zone: 'sold' } }]);
    await fixture.request(ada, 'POST', `/devices/${door.id}/shares`, { email: guest.email, permission: 'view' });
    expect(zones(await list('order=asc&type=motion_detected', guest))).toEqual(['sold']);
  });

  it('does not depend on how many devices an organization has', async () => {
    const member = await fixture.createAccount('member');
    const { id: organizationId } = await fixture.createOrganization(ada);
    await fixture.addMember(member, 'VIEWER', organizationId);
    await fixture.request(ada, 'PATCH', `/devices/${door.id}`, { organizationId });
    const more = (owner: string, count: number): Promise<unknown> =>
      fixture.sql.rows(
        `INSERT INTO devices (id, owner_id, organization_id, name, hardware_id)
         SELECT gen_random_uuid(), ${owner}, $1, 'Door ' || n, gen_random_uuid()::text FROM generate_series(1, $2::int) AS n`,
        [organizationId, count],
      );
    await more(`'${ada.id}'`, 120);
    await motion([zone('door')]);
    const secret = await fixture.registerDevice(ada);
    await happen([{ deviceId: secret.id, userId: ada.id, payload: { zone: 'of no organization' } }]);
    const seen = async (): Promise<unknown[]> => zones(await list('order=desc&type=motion_detected', member));
    expect(await seen()).toEqual(['door']);
    await fixture.sql.rows(
      `INSERT INTO users (id, email, display_name) SELECT gen_random_uuid(), 'owner-' || n || '@example.com', 'O' FROM generate_series(1, 120) AS n`,
    );
    await more(`(SELECT id FROM users WHERE email = 'owner-' || n || '@example.com')`, 120);
    expect(await seen()).toEqual(['door']);
  });
});

describe('Filters of the history', () => {
  it.each(['events', 'device'] as const)('leave only what was asked for: %s', async (of) => {
    const [path, eves] = [door, others].map(({ id }) => (of === 'events' ? '/events' : `/devices/${id}/events`));
    const commandId = crypto.randomUUID();
    const read = async (query: string, who = ada, at = path!): Promise<unknown[]> =>
      zones(await fixture.request<Listed>(who, 'GET', `${at}?order=asc&${query}`)).filter((name) => name !== undefined);
    await motion([zone('1'), { ...zone('2'), actor: `user:${ada.id}` }]);
    const [cut] = await fixture.sql.rows<{ at: Date }>(
      `WITH moved AS (UPDATE events SET received_at = received_at - interval '1 hour'
         WHERE device_id IN ($1, $2) AND type = 'motion_detected')
       SELECT now() - interval '30 minutes' AS at`,
      [door.id, others.id],
    );
    await motion([
      { ...zone('3'), source: 'http' },
      { ...zone('4'), commandId },
      { ...zone('5'), type: 'error_occurred' },
    ]);
    expect(await read('limit=200')).toEqual(['1', '2', '3', '4', '5']);
    expect(await read(`actor=user:${ada.id.toUpperCase()}`)).toEqual(['2']);
    expect(await read('source=http')).toEqual(['3']);
    expect(await read(`commandId=${commandId}`)).toEqual(['4']);
    expect(await read('type=error_occurred')).toEqual(['5']);
    expect(await read('type=error_occurred&type=motion_detected&actor=system')).toEqual(['1', '3', '4', '5']);
    expect(await read(`to=${cut!.at.toISOString()}`)).toEqual(['1', '2']);
    expect(await read(`from=${cut!.at.toISOString()}&source=mqtt`)).toEqual(['4', '5']);
    expect(await read(`commandId=${commandId}`, eve, eves)).toEqual(['4']);
    expect(await read(`commandId=${commandId}&type=error_occurred`)).toEqual([]);
  });

  it('find nothing of others', async () => {
    const commandId = crypto.randomUUID();
    await happen([{ deviceId: others.id, userId: eve.id, commandId, payload: { zone: 'kitchen' } }]);
    for (const query of [`commandId=${commandId}`, `actor=device:${others.id}`, 'q=kitchen', `q=${others.id}`]) {
      expect((await list(`${query}&type=motion_detected`)).body).toMatchObject({ items: [], nextCursor: null });
    }
  });

  it('look at a stretch of the log at a time: a page may be empty and have more behind it', async () => {
    await motion([{ ...zone('rare'), type: 'error_occurred' }]);
    await happen(Array.from({ length: 5_100 }, () => ({ deviceId: door.id, userId: ada.id })));
    for (const query of ['type=error_occurred', `type=error_occurred&deviceId=${door.id}`]) {
      const first = await list(`order=desc&${query}`);
      expect([first.body.items, first.body.more]).toEqual([[], true]);
      const second = await list(`order=desc&${query}&cursor=${first.body.nextCursor!}`);
      expect([zones(second), second.body.nextCursor]).toEqual([['rare'], null]);
      const back = await list(`order=desc&${query}&cursor=${second.body.previousCursor!}`);
      expect([back.body.items, back.body.previousCursor !== null]).toEqual([[], true]);
    }
  });

  it.each([
    ['fault', ['Motor stalled', 'FAULT of the Motor'], 1],
    ['motor', ['Motor stalled', 'FAULT of the Motor'], 2],
    ['"of the motor"', ['Motor stalled', 'FAULT of the Motor'], 1],
    ['motor -stalled', ['Motor stalled', 'FAULT of the Motor'], 1],
    ['stalled or fault', ['Motor stalled', 'FAULT of the Motor'], 2],
    ['ＳＣＨＬÖＳＳＥＲ', ['Das Schlo\u0308sser'], 1],
    ['-- "" | & ! :*', ['Motor stalled'], 0],
    ["'); DROP TABLE events; --", ['Motor stalled'], 0],
    ['-stalled', ['Motor stalled'], 0],
  ])('find words: %s', async (q, messages, count) => {
    await motion(messages.map((errorMessage) => ({ type: 'error_occurred', payload: { errorMessage } })));
    const found = await list(`q=${encodeURIComponent(q)}&type=error_occurred`);
    expect([found.status, found.body.items.length]).toEqual([200, count]);
    expect(found.body.items.every(({ deviceId }) => deviceId === door.id)).toBe(true);
  });

  it('find words in what a vendor sends, in the name of a device, and in a zone', async () => {
    await motion([
      { type: 'custom', payload: { level: [{ note: 'Compressor' }], count: 3 } },
      { type: 'custom', payload: { compressor: 'is but a name' } },
      zone('Garage'),
    ]);
    const found = async (q: string): Promise<string[]> => (await list(`q=${q}`)).body.items.map(({ type }) => type);
    expect([await found('compressor'), await found('garage'), await found('front')]).toEqual([
      ['custom'],
      ['motion_detected'],
      ['device_registered'],
    ]);
  });

  it('find words where too many events have them', async () => {
    const event = { deviceId: door.id, userId: ada.id, ...zone('Common') };
    await happen([{ ...event, ...zone('Common and rare') }, ...Array.from({ length: 5_001 }, () => event)]);
    const first = await list('q=common&limit=3');
    expect([first.body.items.length, first.body.more]).toEqual([3, true]);
    expect((await list('q=common', eve)).body.items).toEqual([]);
    expect(zones(await list('q=rare'))).toEqual(['Common and rare']);
  });

  it('choose among the members of an event', async () => {
    await motion([zone('1')]);
    const { body } = await list('fields=type,cursor&type=motion_detected');
    expect(body.items.map((item) => Object.keys(item))).toEqual([['cursor', 'type']]);
    const ofDevice = await fixture.request<Listed>(ada, 'GET', `/devices/${door.id}/events?fields=id&limit=1`);
    expect(Object.keys(ofDevice.body.items[0]!)).toEqual(['id']);
  });

  it.each([
    ['/fields', 'fields=recievedAt', 'did you mean `receivedAt`?'],
    ['/actor', 'actor=door', 'must be `user:<id>`'],
    ['/q', `q=${'x'.repeat(10_000)}`, 'characters'],
    ['/q', 'q=%00', 'visible'],
    ['/source', 'source=pigeon', 'must be one of'],
    ['/commandId', 'commandId=1', 'UUID'],
    ['/cursor', 'cursor=MS4x', '`order`'],
    ['/after', 'after=MS4x&order=asc', 'leave out one of the two'],
    ['/to', 'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'later'],
  ])('are refused at %s', async (pointer, query, detail) => {
    const { status, body } = await list(query);
    expect([status, body.errors?.[0]?.pointer]).toEqual([400, pointer]);
    expect(body.errors?.[0]?.detail).toContain(detail);
  });
});
