/** Messages in chats: where they go, who sees that, and what hooks that are dead, slow or hostile come to. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { BOT_TOKEN, CHAT_ID, ChatServer } from '../support/chat-server.js';
import { FORCED, NotificationsFixture, type SentBody } from '../support/notifications.fixture.js';
import type { AnswerOrProblem } from '../support/organizations.fixture.js';
import type { Door } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';

interface HookBody {
  readonly host: string;
  readonly enabled: boolean;
  readonly disabledReason: string | null;
}

const HANGING = 40;

let fixture: NotificationsFixture;
let chat: ChatServer;
let door: Door;

beforeAll(async () => {
  chat = await ChatServer.start();
  fixture = await NotificationsFixture.start({ OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128' });
});

afterAll(async () => {
  await fixture.stop();
  await chat.stop();
});

beforeEach(async () => {
  chat.posts.length = 0;
  chat.refusal = null;
  chat.hold = () => Promise.resolve();
  door = await fixture.createDoor();
  await fixture.choose(door.ada, 'door_forced', 'chat', true);
  await fixture.choose(door.ada, 'door_forced', 'email', false);
});

const put = (who: InsertedAccount, body: object): Promise<AnswerOrProblem<HookBody>> =>
  fixture.request<HookBody>(who, 'PUT', '/notifications/chat', body);
const hookOf = (who: InsertedAccount): Promise<AnswerOrProblem<HookBody>> =>
  fixture.request<HookBody>(who, 'GET', '/notifications/chat');
const test = async (who: InsertedAccount): Promise<unknown> =>
  (await fixture.request<object>(who, 'POST', '/notifications/chat/test')).body;

async function force(fits?: (sent: SentBody) => boolean): Promise<SentBody> {
  await fixture.report(door, FORCED);
  const { id } = await fixture.told(door.ada, 'door_forced');
  const [sent] = await fixture.settled(door.ada, id, fits);
  return sent!;
}

/** Messages that are due, of people who want them. */
async function insertMessages(userIds: readonly string[]): Promise<void> {
  await fixture.sql.rows(
    `WITH people AS (SELECT id AS user_id, gen_random_uuid() AS id, gen_random_uuid() AS message_id FROM unnest($1::uuid[]) AS u(id)),
     told AS (
       INSERT INTO notifications (id, user_id, kind, is_urgent, event_type, event_user_id, values, occurred_at, last_at, is_in_app)
       SELECT id, user_id, 'password_reset', true, 'password_reset', user_id, '{}', now(), now(), true FROM people),
     wanted AS (
       INSERT INTO notification_preferences (user_id, kind, channel, is_enabled)
       SELECT DISTINCT user_id, 'password_reset', 'chat', true FROM people ON CONFLICT DO NOTHING),
     messages AS (
       INSERT INTO notification_messages (id, user_id, channel, is_urgent, next_attempt_at)
       SELECT message_id, user_id, 'chat', true, now() - interval '1 minute' FROM people)
     INSERT INTO notification_deliveries (notification_id, channel, message_id) SELECT id, 'chat', message_id FROM people`,
    [userIds],
  );
}

describe('a hook', () => {
  it('of Telegram is posted what happens, and nothing of its address is shown or kept in the clear', async () => {
    const answer = await put(door.ada, chat.telegram);
    expect(answer).toMatchObject({ status: 200, body: { enabled: true, disabledReason: null } });
    expect(answer.body.host).toBe(new URL(chat.telegram.url).host);
    expect(await force()).toMatchObject({ channel: 'chat', state: 'SENT', lastError: null });
    expect(chat.posts).toHaveLength(1);
    expect(chat.posts[0]?.body).toEqual({
      chat_id: CHAT_ID,
      text: expect.stringMatching(/^.*Front door.*\n\n[^]+\n\nhttps?:.*\/notifications$/),
      disable_web_page_preview: true,
    });
    const audited = await fixture.sql.rows<{ action: string; text: string }>(
      `SELECT action, a::text AS text FROM audit_entries a WHERE entity_id = $1`,
      [door.ada.id],
    );
    expect(audited.map(({ action }) => action)).toContain('chat_hook_set');
    const stored = await fixture.sql.rows(`SELECT h::text, encode(sealed, 'escape') AS sealed FROM chat_hooks h`);
    const shown = JSON.stringify([(await hookOf(door.ada)).body, audited, stored]);
    expect([shown.includes(BOT_TOKEN), shown.includes(CHAT_ID)]).toEqual([false, false]);
  });

  it('of others is posted a text, in which no name calls a room or hides a link', async () => {
    const name = '<!channel> @everyone [my bank](https://evil.example)';
    expect((await fixture.request(door.ada, 'PATCH', `/devices/${door.id}`, { name })).status).toBe(200);
    await put(door.ada, { url: chat.url('/services/T0/B0/x') });
    expect(await force()).toMatchObject({ state: 'SENT' });
    expect(Object.keys(chat.posts[0]!.body)).toEqual(['text']);
    expect(chat.posts[0]!.body.text).not.toMatch(/<|@everyone|\]\(/);
    expect(chat.posts[0]!.body.text).toContain('everyone');
  });

  it('is of one person: another one sees, tests and removes none', async () => {
    await put(door.ada, chat.telegram);
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/test'],
      ['DELETE', ''],
    ] as const) {
      const { status, body } = await fixture.request<{ code?: string }>(
        door.grace,
        method,
        `/notifications/chat${path}`,
      );
      expect([status, body.code]).toEqual([404, 'chat_hook_not_found']);
    }
    expect(chat.posts).toEqual([]);
    expect((await hookOf(door.ada)).body.enabled).toBe(true);
    expect((await fixture.request(door.ada, 'DELETE', '/notifications/chat')).status).toBe(204);
    expect((await hookOf(door.ada)).status).toBe(404);
  });

  it.each([
    ['ftp://hooks.example.com/a', undefined, '/url'],
    ['http://93.184.216.34/a', undefined, '/url'],
    ['https://me:secret@hooks.example.com/a', undefined, '/url'],
    ['https://169.254.169.254/latest', undefined, '/url'],
    ['https://0x0a000001/a', undefined, '/url'],
    ['https://10.0.0.7\\@hooks.example.com/a', undefined, '/url'],
    ['HTTPS://API.Telegram.ORG./bot1:a/getMe', '1', '/url'],
    ['https://api.telegram.org/bot1:a/sendMessage', undefined, '/chatId'],
    ['https://hooks.example.com/a', '12; drop', '/chatId'],
    ['https://hooks.example.com/a', 'me\n', '/chatId'],
  ])('is refused at %s with chat %p', async (url, chatId, pointer) => {
    const { status, body } = await put(door.ada, { url, ...(chatId === undefined ? {} : { chatId }) });
    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ pointer }] });
    expect((await hookOf(door.ada)).status).toBe(404);
  });

  it('is tested: the answer says what it answered, in bounded time', async () => {
    await put(door.ada, chat.telegram);
    expect(await test(door.ada)).toEqual({ taken: true, status: 200, reason: null });
    chat.refusal = { status: 429, description: 'Too Many Requests: retry after 9', retryAfter: 9 };
    expect(await test(door.ada)).toEqual({ taken: false, status: 429, reason: 'chat_429' });
    await put(door.ada, { ...chat.telegram, chatId: '5' });
    expect(await test(door.ada)).toEqual({ taken: false, status: 400, reason: 'chat_400' });
    await put(door.ada, { url: chat.url('/services/T0'), chatId: '5' });
    expect(await test(door.ada)).toEqual({ taken: false, status: 200, reason: 'chat_not_taken' });
    await put(door.ada, { url: chat.url('/hang') });
    const began = performance.now();
    expect(await test(door.ada)).toEqual({ taken: false, status: null, reason: 'chat_timed_out' });
    expect(performance.now() - began).toBeLessThan(8_000);
    await put(door.ada, { url: chat.url('/status/404') });
    expect(await test(door.ada)).toEqual({ taken: false, status: 404, reason: 'chat_404' });
    expect(await test(door.ada)).toMatchObject({ status: 409, code: 'chat_hook_disabled' });
  });
});

describe('what a hook answers', () => {
  it('is heard: later, for good, or that it is dead', async () => {
    await put(door.ada, chat.telegram);
    chat.refusal = { status: 429, description: 'Too Many Requests: retry after 1800', retryAfter: 1_800 };
    const postponed = await force(({ lastError }) => lastError !== null);
    expect(postponed).toMatchObject({ state: 'PENDING', lastError: 'chat_429' });
    const waitS = (Date.parse(String((postponed as { nextAttemptAt?: string }).nextAttemptAt)) - Date.now()) / 1_000;
    expect([waitS > 1_700, waitS < 1_900]).toEqual([true, true]);

    chat.refusal = { status: 403, description: 'Forbidden: bot was blocked by the user' };
    await fixture.hurry();
    const { id } = await fixture.told(door.ada, 'door_forced');
    expect(await fixture.settled(door.ada, id)).toMatchObject([
      { state: 'FAILED', lastError: 'chat_403', attempts: 2 },
    ]);
    expect((await hookOf(door.ada)).body).toMatchObject({ enabled: false, disabledReason: 'forbidden' });
    const [entry] = await fixture.sql.rows(
      `SELECT actor, after FROM audit_entries WHERE action = 'chat_hook_disabled' AND entity_id = $1`,
      [door.ada.id],
    );
    expect(entry).toMatchObject({ actor: 'system', after: { reason: 'forbidden' } });

    // It is reached no more, also by what waits.
    const calls = chat.posts.length;
    await insertMessages([door.ada.id]);
    await eventually('it is left out', async () => {
      const rows = await fixture.sql.rows<{ reason: string }>(
        `SELECT reason FROM notification_messages WHERE user_id = $1 AND state = 'SUPPRESSED'`,
        [door.ada.id],
      );
      return rows[0]?.reason === 'no_address';
    });
    expect(chat.posts.length).toBe(calls);
    chat.refusal = null;
    await put(door.ada, chat.telegram);
    expect((await hookOf(door.ada)).body).toMatchObject({ enabled: true, disabledReason: null });
    expect(await test(door.ada)).toMatchObject({ taken: true });
  });

  it('says nothing of the hook that took its place meanwhile', async () => {
    let release = (): void => undefined;
    chat.hold = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    await put(door.ada, { url: chat.url('/status/410') });
    const tested = test(door.ada);
    await eventually('it was called', () => chat.posts.length === 1);
    await put(door.ada, chat.telegram);
    release();
    expect(await tested).toMatchObject({ status: 410 });
    expect((await hookOf(door.ada)).body).toMatchObject({ enabled: true, disabledReason: null });
  });
});

describe('hooks that never answer', () => {
  it('of one person with many messages are called seldom, and hold up those of others for one call', async () => {
    await put(door.grace, { url: chat.url('/hang') });
    await insertMessages(Array.from({ length: 200 }, () => door.grace.id));
    await eventually('one is under way', () => chat.posts.length > 0);
    await put(door.ada, chat.telegram);
    const began = performance.now();
    await insertMessages([door.ada.id]);
    await eventually('hers arrived', () => chat.posts.some(({ body }) => body.chat_id === CHAT_ID));
    expect(performance.now() - began).toBeLessThan(8_000);
    await eventually('the others were tried', async () => {
      const rows = await fixture.sql.rows(`SELECT 1 FROM notification_messages WHERE user_id = $1 AND failures = 0`, [
        door.grace.id,
      ]);
      return rows.length === 0;
    });
    expect(chat.posts.filter(({ path }) => path === '/hang').length).toBeLessThanOrEqual(2);
    await fixture.sql.rows(`DELETE FROM notification_messages WHERE user_id = $1`, [door.grace.id]);
  });

  it('of many people hold up those of others for a few calls', async () => {
    const people = await Promise.all(
      Array.from({ length: HANGING }, (_, place) => fixture.createAccount(`h${String(place)}`)),
    );
    await Promise.all(people.map((who, place) => put(who, { url: chat.url(`/hang/${String(place)}`) })));
    await insertMessages(people.map(({ id }) => id));
    await put(door.ada, chat.telegram);
    const began = performance.now();
    await insertMessages([door.ada.id]);
    await eventually('hers arrived', () => chat.posts.some(({ body }) => body.chat_id === CHAT_ID));
    const tookMs = performance.now() - began;
    expect(tookMs).toBeLessThan(5_000 * (HANGING / 40 + 1) + 3_000);
    await fixture.sql.rows(`DELETE FROM notification_messages WHERE user_id = ANY ($1)`, [people.map(({ id }) => id)]);
  });
});
