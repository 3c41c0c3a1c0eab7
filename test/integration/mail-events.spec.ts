/** What the provider of mail reports: what is believed, what becomes of messages, and which addresses are not mailed any more. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { nowS, type ReportedMailEvent, signedHeaders } from '../support/mail-events.js';
import { FORCED, LOW, NotificationsFixture, type SentBody } from '../support/notifications.fixture.js';
import { type Answer, request } from '../support/rest.js';
import type { Door } from '../support/sharing.fixture.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

interface SuppressionBody {
  readonly suppressed: boolean;
  readonly reason: string | null;
  readonly reportedAt: string | null;
}

const PATH = '/api/v1/notifications/mail-events';
const DAY_S = 86_400;

let fixture: NotificationsFixture;
let door: Door;

beforeAll(async () => {
  fixture = await NotificationsFixture.start();
});

afterAll(() => fixture.stop());

beforeEach(async () => {
  fixture.mails.mails.length = 0;
  door = await fixture.createDoor();
});

const post = (body: string, headers: Record<string, string>): Promise<Answer> =>
  request(fixture.application.url, 'POST', PATH, { body, headers });

async function hear(...events: readonly ReportedMailEvent[]): Promise<void> {
  const body = JSON.stringify(events);
  expect((await post(body, signedHeaders(body))).status).toBe(204);
}

const suppressionOf = async (who: InsertedAccount): Promise<SuppressionBody> =>
  (await fixture.request<SuppressionBody>(who, 'GET', '/notifications/mail-suppression')).body;

/** Mails an urgent notification, and tells how its mail is named. */
async function mailed(who = door.ada): Promise<{ id: string; smtpId: string }> {
  await fixture.report(door, FORCED);
  const { id } = await fixture.told(who, 'door_forced');
  expect(await fixture.settled(who, id)).toMatchObject([{ channel: 'email', state: 'SENT' }]);
  return { id, smtpId: await eventually('the mail is there', () => fixture.mailsTo(who)[0]?.messageId) };
}

const stateOf = async (id: string): Promise<SentBody> => (await fixture.sentOf(door.ada, id))[0]!;

function event(name: string, more: Partial<ReportedMailEvent> = {}): ReportedMailEvent {
  return { email: door.ada.email, event: name, timestamp: nowS(), ...more };
}

describe('a report', () => {
  it('is believed where the provider has signed it, lately, byte by byte', async () => {
    const { id, smtpId } = await mailed();
    const body = ` [ ${JSON.stringify(event('delivered', { 'smtp-id': smtpId }))} ] `;
    const good = signedHeaders(body);
    const [signature, timestamp] = Object.keys(good).slice(1) as [string, string];
    const refused: [string, Record<string, string>][] = [
      [body.trim(), good],
      [body, { ...good, [timestamp]: String(nowS() - 1) }],
      [body, { ...good, [signature]: Buffer.alloc(70).toString('base64') }],
      [body, { ...good, [signature]: '' }],
      [body, { 'content-type': 'application/json' }],
      [body, signedHeaders(body, nowS() - 2 * DAY_S)],
      [body, signedHeaders(body, nowS() + 1_200)],
    ];
    for (const [text, headers] of refused) {
      const answer = await post(text, headers);
      expect([answer.status, answer.body.code]).toEqual([403, 'invalid_mail_events_signature']);
    }
    expect(await stateOf(id)).toMatchObject({ state: 'SENT' });
    // The provider repeats for a day what it could not tell.
    expect((await post(body, signedHeaders(body, nowS() - DAY_S))).status).toBe(204);
    expect(await stateOf(id)).toMatchObject({ state: 'DELIVERED', reason: null });
  });

  it('is read only then, and is bounded', async () => {
    const broken = '[{"event":';
    expect((await post(broken, { 'content-type': 'application/json' })).status).toBe(403);
    for (const text of [broken, '{}', `[${'1,'.repeat(5_000)}1]`, '']) {
      expect([text.slice(0, 9), (await post(text, signedHeaders(text))).status]).toEqual([text.slice(0, 9), 400]);
    }
    const large = JSON.stringify(['x'.repeat(1_100_000)]);
    expect((await post(large, signedHeaders(large))).status).toBe(413);
    // What is not understood does not keep the rest from being heard.
    const odd = [
      null,
      7,
      {},
      { event: 'toString', email: 'a@b.c', timestamp: 1 },
      { ...event('bounce'), timestamp: 'x' },
      { ...event('dropped'), reason: { toString: 1 } },
    ];
    const mixed = JSON.stringify([...odd, { ...event('open'), useragent: '\u0000' }, event('bounce')]);
    expect((await post(mixed, signedHeaders(mixed))).status).toBe(204);
    expect((await suppressionOf(door.ada)).suppressed).toBe(true);
  });

  it('does not count for the limits of its address where the provider has signed it, and else does', async () => {
    const few = await TestApp.start({
      env: { ROLES: 'api', RATE_LIMIT_SCALE: '1', RATE_LIMIT_ANONYMOUS: '3/1m', ADDRESS_BLOCK_AFTER: '0' },
    });
    const statusesOf = async (headers: Record<string, string>): Promise<number[]> => {
      const statuses: number[] = [];
      for (let time = 0; time < 6; time += 1) {
        statuses.push((await request(few.url, 'POST', PATH, { body: '[]', headers })).status);
      }
      return statuses;
    };
    try {
      expect(await statusesOf(signedHeaders('[]'))).toEqual(Array<number>(6).fill(204));
      expect(await statusesOf(signedHeaders('[ ]'))).toEqual([403, 403, 403, 429, 429, 429]);
      expect(await statusesOf(signedHeaders('[]'))).toEqual(Array<number>(6).fill(204));
    } finally {
      await few.stop();
    }
  });

  it('is taken nowhere without a key', async () => {
    const bare = await TestApp.start({ env: { ROLES: 'api', MAIL_EVENTS_PUBLIC_KEY: '' } });
    try {
      const answer = await request(bare.url, 'POST', PATH, { body: '[]', headers: signedHeaders('[]') });
      expect([answer.status, answer.body.code]).toEqual([404, 'mail_events_not_set_up']);
    } finally {
      await bare.stop();
    }
  });
});

describe('what became of a message', () => {
  it('goes forward alone: a bounce after the delivery is the last word, in whatever order it is told, however often', async () => {
    const { id, smtpId } = await mailed();
    const delivered = event('delivered', { 'smtp-id': smtpId });
    const bounced = event('bounce', { 'smtp-id': smtpId, type: 'bounce', status: '5.1.1' });
    await hear(event('deferred', { 'smtp-id': smtpId }), event('processed', { 'smtp-id': smtpId }));
    expect(await stateOf(id)).toMatchObject({ state: 'SENT' });
    await hear(delivered);
    expect(await stateOf(id)).toMatchObject({ state: 'DELIVERED' });
    for (const events of [[bounced, delivered], [delivered], [bounced]]) {
      await hear(...events);
      expect(await stateOf(id)).toMatchObject({ state: 'FAILED', reason: 'bounced', lastError: 'bounced 5.1.1' });
    }
    const suppressed = await fixture.sql.rows(
      `SELECT actor, after FROM audit_entries WHERE action = 'mail_suppressed' AND entity_id = $1`,
      [door.ada.id],
    );
    expect(suppressed).toEqual([{ actor: expect.any(String), after: { reason: 'bounced' } }]);
  });

  it('is not the fault of the address where a server blocks mail of ours, or the provider has no room for it', async () => {
    const { id, smtpId } = await mailed();
    await hear(event('bounce', { 'smtp-id': smtpId, type: 'blocked', status: '5.7.1' }));
    expect(await stateOf(id)).toMatchObject({ state: 'FAILED', reason: 'not_delivered', lastError: 'blocked 5.7.1' });
    await hear(
      event('delivered', { 'smtp-id': smtpId }),
      event('dropped', { reason: 'Recipient List over Package Quota' }),
    );
    expect(await stateOf(id)).toMatchObject({ state: 'FAILED' });
    expect(await suppressionOf(door.ada)).toEqual({ suppressed: false, reason: null, reportedAt: null });
  });

  it('changes nothing of what was never sent, or goes over another channel', async () => {
    const rows = await fixture.sql.rows<{ id: string }>(
      `INSERT INTO notification_messages (id, user_id, channel, is_urgent, next_attempt_at, state)
       VALUES (gen_random_uuid(), $1, 'email', false, 'infinity', 'PENDING'), (gen_random_uuid(), $1, 'sms', false, now(), 'SENT')
       RETURNING id`,
      [door.ada.id],
    );
    await hear(...rows.map(({ id }) => event('delivered', { 'smtp-id': `<${id}@localhost>` })));
    const states = await fixture.sql.rows('SELECT state FROM notification_messages WHERE user_id = $1 ORDER BY state', [
      door.ada.id,
    ]);
    expect(states).toEqual([{ state: 'PENDING' }, { state: 'SENT' }]);
    await fixture.sql.rows('DELETE FROM notification_messages WHERE user_id = $1', [door.ada.id]);
  });
});

describe('an address that bounces', () => {
  it('is not mailed any more, in whatever case it is reported, and what waits is left out; other people are', async () => {
    const hour = (plus: number): string => `${String((new Date().getUTCHours() + plus) % 24).padStart(2, '0')}:00`;
    const quietHours = { from: hour(0), until: hour(2), timeZone: 'UTC' };
    await fixture.request(door.ada, 'PATCH', '/users/me/preferences', { quietHours });
    await fixture.report(door, LOW);
    const { id: waiting } = await fixture.told(door.ada, 'low_battery');
    await hear(event('bounce', { email: door.ada.email.toUpperCase(), type: 'bounce' }));
    expect(await suppressionOf(door.ada)).toEqual({
      suppressed: true,
      reason: 'bounced',
      reportedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await suppressionOf(door.grace)).suppressed).toBe(false);
    await fixture.share(door.ada, door.id, door.grace, { permission: 'view' });
    await fixture.report(door, FORCED);
    const { id } = await fixture.told(door.ada, 'door_forced');
    const { id: hers } = await fixture.told(door.grace, 'door_forced');
    expect(await fixture.settled(door.grace, hers)).toMatchObject([{ state: 'SENT' }]);
    expect(await fixture.sentOf(door.ada, id)).toEqual([]);
    await fixture.request(door.ada, 'PATCH', '/users/me/preferences', { quietHours: null });
    await fixture.hurry();
    expect(await fixture.settled(door.ada, waiting)).toMatchObject([{ state: 'SUPPRESSED', reason: 'no_address' }]);
    expect(fixture.mailsTo(door.ada)).toEqual([]);
    // Only who it is may lift it.
    expect((await fixture.request(door.grace, 'DELETE', '/notifications/mail-suppression')).status).toBe(204);
    expect((await suppressionOf(door.ada)).suppressed).toBe(true);
  });

  it('is mailed again when its person says so, whatever is repeated of before; and ends once more by another bounce', async () => {
    const before = event('spamreport', { timestamp: nowS() - 1 });
    await fixture.sql.rows(`UPDATE users SET email_since = now() - interval '1 day' WHERE id = $1`, [door.ada.id]);
    await hear(before);
    expect(await suppressionOf(door.ada)).toMatchObject({ suppressed: true, reason: 'spam_report' });
    expect((await fixture.request(door.ada, 'DELETE', '/notifications/mail-suppression')).status).toBe(204);
    await hear(before, event('dropped', { timestamp: nowS() - 1, reason: 'Spam Reporting Address' }));
    expect((await suppressionOf(door.ada)).suppressed).toBe(false);
    await mailed();
    await fixture.sql.rows(`UPDATE mail_suppressions SET lifted_at = now() - interval '10 seconds'`);
    await hear(event('dropped', { reason: 'Bounced Address' }));
    expect(await suppressionOf(door.ada)).toMatchObject({ suppressed: true, reason: 'bounced' });
  });

  it('is that one alone: one that the account has now, or has again, is mailed', async () => {
    const { email, id } = door.ada;
    const change = (to: string): Promise<unknown> =>
      fixture.sql.rows('UPDATE users SET email = $1 WHERE id = $2', [to, id]);
    await change(`new-${email}`);
    await hear(event('bounce', { timestamp: nowS() + 60 }));
    expect((await suppressionOf(door.ada)).suppressed).toBe(false);
    await change(email);
    await hear(event('bounce', { timestamp: nowS() - 60 }));
    expect((await suppressionOf(door.ada)).suppressed).toBe(false);
    await hear(event('bounce'));
    expect((await suppressionOf(door.ada)).suppressed).toBe(true);
    await change(`new-${email}`);
    expect((await suppressionOf(door.ada)).suppressed).toBe(false);
  });

  it('also while the address is changed, and in reports that come at once in another order', async () => {
    for (let round = 0; round < 10; round += 1) {
      const people = await Promise.all([
        fixture.createAccount('a'),
        fixture.createAccount('b'),
        fixture.createAccount('c'),
      ]);
      const events = people.map(({ email }) => event('bounce', { email }));
      const [moved] = people;
      await Promise.all([
        hear(...events),
        hear(...[...events].reverse()),
        fixture.sql.rows('UPDATE users SET email = $1 WHERE id = $2', [`new-${moved.email}`, moved.id]),
        hear(...events),
      ]);
      const notices = await Promise.all(people.map(suppressionOf));
      expect(notices.map(({ suppressed }) => suppressed)).toEqual([false, true, true]);
    }
  });
});
