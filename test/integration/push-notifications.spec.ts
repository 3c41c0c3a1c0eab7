/** Pushes to the browsers and phones of people, from what a door reports to what their browser shows. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PushTargetsService } from '../../src/features/notifications/push/push-targets.service.js';
import { createAccount, createAdmin } from '../support/accounts.fixture.js';
import { ApnsServer } from '../support/apns-server.js';
import { fcmError, json } from '../support/google-server.js';
import { FORCED, LOW } from '../support/notifications.fixture.js';
import { BUSY, freshToken, GONE, PushPeopleFixture, TAKEN, toBody } from '../support/push-people.fixture.js';
import type { PushService } from '../support/push-service.js';
import { SESSION_END_CASES } from '../support/session-end-cases.js';
import type { Door } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';

let fixture: PushPeopleFixture;
let door: Door;

beforeAll(async () => {
  fixture = await PushPeopleFixture.start();
});

afterAll(() => fixture.stop());

beforeEach(async () => {
  fixture.google.fcm.answer(json(200, { name: 'projects/doors-1/messages/1' }));
  fixture.apple.react = () => ({ status: 200 });
  fixture.apple.arrived.length = 0;
  door = await fixture.createDoor();
  await fixture.wantPushes(door.ada);
});

/** A browser of Ada’s, which has registered. */
async function herBrowser(who = door.ada): Promise<PushService> {
  const browser = await fixture.browser();
  await fixture.subscribe(who, toBody(browser));
  return browser;
}

async function forced(): Promise<string> {
  await fixture.report(door, FORCED);
  return (await fixture.told(door.ada, 'door_forced')).id;
}

describe('what a door reports', () => {
  it('arrives at all browsers and phones of a person, in their language, and at no one else’s', async () => {
    const browser = await herBrowser();
    const fcm = freshToken.fcm();
    const apns = freshToken.apns();
    await fixture.subscribe(door.ada, { service: 'fcm', token: fcm });
    await fixture.subscribe(door.ada, { service: 'apns', token: apns });
    const strangers = await herBrowser(door.grace);
    await fixture.wantPushes(door.grace);
    await fixture.request(door.ada, 'PATCH', '/users/me/preferences', { language: 'de' });
    const id = await forced();
    expect(await fixture.settled(door.ada, id)).toMatchObject([{ channel: 'push', state: 'SENT', attempts: 1 }]);
    const { text, headers } = await browser.received(browser.server.requests[0]!);
    const shown = JSON.parse(text) as Record<string, unknown>;
    expect(shown).toMatchObject({
      title: expect.stringContaining('Front door'),
      body: expect.stringContaining('gewaltsam'),
      data: { kind: 'door_forced', notificationId: id, deviceId: door.id },
    });
    expect(headers.urgency).toBe('high');
    expect(Number(headers.ttl)).toBeGreaterThan(3_500);
    const { message } = JSON.parse(fixture.google.fcm.requests[0]!.body.toString()) as {
      message: { token: string; data: Record<string, string> };
    };
    expect(message).toMatchObject({ token: fcm, data: { kind: 'door_forced', notificationId: id } });
    expect(fixture.apple.arrived[0]?.headers[':path']).toBe(`/3/device/${apns}`);
    expect(await ApnsServer.tokenOf(fixture.apple.arrived[0]!)).toMatchObject({ iss: 'DEF123GHIJ' });
    expect(strangers.server.requests).toEqual([]);
    expect((await fixture.subscriptionsOf(door.ada)).map(({ lastUsedAt }) => typeof lastUsedAt)).toEqual(
      Array.from({ length: 3 }, () => 'string'),
    );
  });

  it('is made for no one who has nothing to push to, or had it in a session that ended', async () => {
    const ended = await fixture.inAnotherSession(door.ada);
    await herBrowser(ended);
    await fixture.sql.rows('UPDATE sessions SET revoked_at = now() WHERE id = $1', [ended.sessionId]);
    const id = await forced();
    await fixture.report(door, LOW);
    await fixture.told(door.ada, 'low_battery');
    expect(await fixture.sentOf(door.ada, id)).toEqual([]);
  });
});

describe('a target that is gone', () => {
  it('is removed, of each service, and the rest is told', async () => {
    const [living, dead] = [await herBrowser(), await herBrowser(await fixture.inAnotherSession(door.ada))];
    await fixture.subscribe(door.ada, { service: 'fcm', token: freshToken.fcm() });
    await fixture.subscribe(door.ada, { service: 'apns', token: freshToken.apns() });
    dead.server.answer(GONE);
    fixture.google.fcm.answer(fcmError(404, 'NOT_FOUND', { code: 'UNREGISTERED' }));
    fixture.apple.react = () => ({ status: 410, reason: 'Unregistered' });
    expect(await fixture.settled(door.ada, await forced())).toMatchObject([{ state: 'SENT', attempts: 1 }]);
    const left = await fixture.subscriptionsOf(door.ada);
    expect(left.map(({ ending }) => ending)).toEqual([`…${living.subscription.endpoint.slice(-4)}`]);
    const audited = await fixture.sql.rows<{ actor: string; reason: string }>(
      `SELECT actor, after->>'reason' AS reason FROM audit_entries
       WHERE action = 'push_subscription_removed' AND after->>'reason' ~ '^(web_push|fcm|apns)' ORDER BY reason`,
    );
    expect(audited.map(({ actor, reason }) => `${actor} ${reason}`)).toEqual([
      'system apns_unregistered',
      'system fcm_unregistered',
      'system web_push_410',
    ]);
  });

  it('leaves nothing to be told where it was the last, without a failure', async () => {
    const browser = await herBrowser();
    browser.server.answer(GONE);
    expect(await fixture.settled(door.ada, await forced())).toMatchObject([
      { state: 'SUPPRESSED', reason: 'no_address', attempts: 1 },
    ]);
    expect(await fixture.subscriptionsOf(door.ada)).toEqual([]);
  });

  it('stays where it was registered again meanwhile', async () => {
    const browser = await herBrowser();
    let again: Promise<string> | undefined;
    browser.server.answer((response) => {
      again = fixture.subscribe(door.ada, toBody(browser));
      void again.then(() => {
        GONE(response);
      });
    });
    await fixture.settled(door.ada, await forced());
    expect((await fixture.subscriptionsOf(door.ada)).map(({ id }) => id)).toEqual([await again]);
  });
});

describe('a service that fails', () => {
  it('is tried again, and what has taken the message is not', async () => {
    const [working, failing] = [await herBrowser(), await herBrowser(await fixture.inAnotherSession(door.ada))];
    failing.server.answer(BUSY, TAKEN);
    const id = await forced();
    await fixture.settled(door.ada, id, ({ lastError }) => lastError === 'partly_web_push_503');
    await fixture.hurry();
    expect(await fixture.settled(door.ada, id)).toMatchObject([{ state: 'SENT', attempts: 2 }]);
    expect([working.server.requests.length, failing.server.requests.length]).toEqual([1, 2]);
    const topics = failing.server.requests.map(({ headers }) => headers.topic);
    expect(topics[0]).toBe(topics[1]);
  });

  it('is waited for as long as it asks', async () => {
    const browser = await herBrowser();
    browser.server.answer((response) => response.writeHead(429, { 'retry-after': '120' }).end(), TAKEN);
    const id = await forced();
    await fixture.settled(door.ada, id, ({ lastError }) => lastError === 'web_push_429');
    const [row] = await fixture.sql.rows<{ wait: number }>(
      `SELECT extract(epoch FROM next_attempt_at - now())::int AS wait FROM notification_messages WHERE user_id = $1`,
      [door.ada.id],
    );
    expect(row!.wait).toBeGreaterThan(100);
    await fixture.hurry();
    expect(await fixture.settled(door.ada, id)).toMatchObject([{ state: 'SENT', attempts: 2 }]);
  });

  it('by silence holds up neither mails, nor the phone of the same person, and is left alone for a while', async () => {
    await fixture.sql.rows(
      `UPDATE user_preferences SET notification_channels = '{in_app,push,email}' WHERE user_id = $1`,
      [door.ada.id],
    );
    const silent = await herBrowser();
    silent.server.answer();
    await fixture.subscribe(door.ada, { service: 'fcm', token: freshToken.fcm() });
    const began = performance.now();
    const id = await forced();
    await eventually(
      'mailed and pushed',
      () => fixture.mailsTo(door.ada).length + fixture.google.fcm.requests.length === 2,
    );
    expect(performance.now() - began).toBeLessThan(9_000);
    await fixture.settled(door.ada, id, ({ channel, lastError }) => channel === 'email' || lastError !== null);
    await fixture.hurry();
    await fixture.settled(
      door.ada,
      id,
      ({ channel, lastError }) => channel === 'email' || lastError === 'partly_web_push_paused',
    );
    expect([silent.server.requests.length, fixture.google.fcm.requests.length]).toEqual([1, 1]);
  }, 60_000);
});

describe('an endpoint inside the network', () => {
  it('is refused when it is called, also where its registration was not', async () => {
    const browser = await fixture.browser();
    const id = await fixture.subscribe(door.ada, toBody(browser));
    // As it would be if the network was allowed when it was registered.
    const { endpoint, p256dh, auth } = browser.subscription;
    const inside = { service: 'web_push', endpoint: endpoint.replace('127.0.0.1', '127.0.0.2'), p256dh, auth } as const;
    const sealed = fixture.application.get(PushTargetsService).seal(inside, id);
    await fixture.sql.rows('UPDATE push_subscriptions SET sealed = $2 WHERE id = $1', [id, sealed]);
    expect(await fixture.settled(door.ada, await forced())).toMatchObject([
      { state: 'FAILED', lastError: 'web_push_address_not_allowed', attempts: 1 },
    ]);
    expect(browser.server.requests).toEqual([]);
    expect((await fixture.subscriptionsOf(door.ada)).map((one) => one.id)).toEqual([id]);
  });
});

describe('the end of a session', () => {
  it.each(Object.keys(SESSION_END_CASES))('ends its pushes: %s', async (name) => {
    const context = {
      here: fixture.application.url,
      sql: fixture.sql,
      admin: await createAdmin(fixture.application),
      person: await createAccount(fixture.application.url),
    };
    const prepared = await SESSION_END_CASES[name]!.prepare(context);
    const browser = await fixture.browser();
    const target = toBody(browser);
    await fixture.subscribe(context.person, target);
    const { id } = context.person;
    await fixture.wantPushes({ id });
    const owned = await fixture.registerDevice({ ...door.ada, ...context.person });
    await fixture.report({ id: owned.id, ada: { ...door.ada, id } }, FORCED);
    await eventually('pushed while it lasts', () => browser.server.requests.length === 1);
    // The next is on its way when the session ends.
    browser.server.answer(BUSY, TAKEN);
    await fixture.sql.rows(`DELETE FROM notifications WHERE user_id = $1`, [id]);
    await fixture.report({ id: owned.id, ada: { ...door.ada, id } }, FORCED);
    await eventually('tried', () => browser.server.requests.length === 1);
    await prepared.end();
    await eventually('settled', async () => {
      await fixture.hurry();
      const rows = await fixture.sql.rows<{ state: string }>(
        `SELECT state FROM notification_messages WHERE user_id = $1 AND channel = 'push'`,
        [id],
      );
      return rows.every(({ state }) => state !== 'PENDING');
    });
    expect(browser.server.requests).toHaveLength(1);
  });
});
