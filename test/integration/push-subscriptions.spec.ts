/** Where people are pushed to: how browsers and apps register, whose a target is, and how long it is. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PurgeRegistry } from '../../src/platform/scheduling/purge-registry.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { ExportsClient } from '../support/exports.fixture.js';
import { freshToken, PushPeopleFixture, toBody } from '../support/push-people.fixture.js';
import { TestApp } from '../support/test-app.js';
import { request } from '../support/rest.js';
import { insertAccount } from '../support/accounts.fixture.js';

let fixture: PushPeopleFixture;

beforeAll(async () => {
  fixture = await PushPeopleFixture.start();
});

afterAll(() => fixture.stop());

const account = (name: string): Promise<InsertedAccount> => fixture.createAccount(name);

async function removals(id: string): Promise<{ actor: string; after: { reason?: string } | null }[]> {
  return fixture.sql.rows(
    `SELECT actor, after FROM audit_entries WHERE action = 'push_subscription_removed' AND outcome = 'success' AND entity_id = $1`,
    [id],
  );
}

describe('the services', () => {
  it('that are set up are named, with the key for browsers', async () => {
    const { status, body } = await fixture.request(await account('ada'), 'GET', '/notifications/push/services');
    expect([status, body]).toEqual([
      200,
      { services: ['web_push', 'fcm', 'apns'], applicationServerKey: expect.stringMatching(/^B[\w-]{86}$/) },
    ]);
  });

  it('that are not set up are refused, and nothing is made to be pushed', async () => {
    const other = await TestApp.start({ env: { ROLES: 'api', VAPID_PRIVATE_KEY: '', VAPID_SUBJECT: '' } });
    try {
      const { accessToken: token } = await insertAccount(other);
      const path = '/api/v1/notifications';
      expect((await request(other.url, 'GET', `${path}/push/services`, { token })).body).toEqual({
        services: [],
        applicationServerKey: null,
      });
      const body = { service: 'fcm', token: freshToken.fcm() };
      const refused = await request(other.url, 'POST', `${path}/push/subscriptions`, { token, body });
      expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
        409,
        'push_service_not_set_up',
        'This installation does not push over fcm.',
      ]);
    } finally {
      await other.stop();
    }
  });
});

describe('a subscription', () => {
  it('is registered, shown without its secrets, and removed', async () => {
    const ada = await account('ada');
    const browser = await fixture.browser();
    const { endpoint, keys } = toBody(browser);
    const made = await fixture.register(ada, toBody(browser), { 'user-agent': 'Firefox/140' });
    const shown = {
      id: made.body.id,
      service: 'web_push',
      current: true,
      userAgent: 'Firefox/140',
      ending: `…${endpoint.slice(-4)}`,
      createdAt: expect.any(String),
      lastUsedAt: null,
    };
    expect([made.status, made.body]).toEqual([200, shown]);
    expect(await fixture.subscriptionsOf(ada)).toEqual([shown]);
    expect(await fixture.subscriptionsOf(await fixture.inAnotherSession(ada))).toEqual([{ ...shown, current: false }]);
    const kept = await fixture.sql.rows('SELECT * FROM push_subscriptions WHERE user_id = $1', [ada.id]);
    const audited = await fixture.sql.rows('SELECT * FROM audit_entries WHERE entity_id = $1', [made.body.id]);
    const exports = new ExportsClient(fixture.application.url);
    const { id: exportId } = await exports.made(ada, { type: 'my_data', format: 'ndjson' });
    const exported = await (await exports.download(ada, exportId)).text();
    expect(exported).toContain('"push_subscription"');
    expect(audited).toHaveLength(1);
    for (const text of [JSON.stringify(kept), JSON.stringify(audited), exported]) {
      expect([endpoint, keys.p256dh, keys.auth].filter((secret) => text.includes(secret))).toEqual([]);
    }
    const path = `/notifications/push/subscriptions/${made.body.id}`;
    expect((await fixture.request(ada, 'DELETE', path)).status).toBe(204);
    expect((await fixture.request(ada, 'DELETE', path)).body.code).toBe('push_subscription_not_found');
    expect(await fixture.subscriptionsOf(ada)).toEqual([]);
    expect(await removals(made.body.id)).toMatchObject([{ actor: `user:${ada.id}` }]);
  });

  it('is the same for the same target, however it is spelled, also from a new session', async () => {
    const ada = await account('ada');
    const browser = toBody(await fixture.browser());
    const spelled = {
      ...browser,
      endpoint: browser.endpoint.replace('http://127.0.0.1', 'HTTP://2130706433'),
      keys: { p256dh: `${browser.keys.p256dh}=`, auth: `${browser.keys.auth}==` },
    };
    const apns = { service: 'apns', token: freshToken.apns() };
    const ids = [await fixture.subscribe(ada, browser), await fixture.subscribe(ada, apns)];
    const later = await fixture.inAnotherSession(ada);
    const again = [spelled, { ...apns, token: apns.token.toUpperCase() }].map((body) => fixture.subscribe(later, body));
    expect(await Promise.all(again)).toEqual(ids);
    expect((await fixture.subscriptionsOf(later)).map(({ id, current }) => [id, current])).toEqual(
      ids.map((id) => [id, true]),
    );
    const atOnce = await Promise.all(Array.from({ length: 8 }, () => fixture.subscribe(ada, apns)));
    expect(new Set(atOnce)).toEqual(new Set([ids[1]]));
  });

  it('takes the place of what its session had of the service', async () => {
    const ada = await account('ada');
    const first = await fixture.subscribe(ada, { service: 'fcm', token: freshToken.fcm() });
    const second = await fixture.subscribe(ada, { service: 'fcm', token: freshToken.fcm() });
    expect((await fixture.subscriptionsOf(ada)).map(({ id }) => id)).toEqual([second]);
    expect(await removals(first)).toMatchObject([{ after: { reason: 'replaced' } }]);
  });

  it('moves to the account that registers its target now, in any race', async () => {
    const people = await Promise.all(['ada', 'grace', 'guest', 'joan', 'mary'].map(account));
    const target = { service: 'fcm', token: freshToken.fcm() };
    const first = await fixture.subscribe(people[0]!, target);
    await fixture.subscribe(people[1]!, target);
    expect(await fixture.subscriptionsOf(people[0]!)).toEqual([]);
    expect(await removals(first)).toMatchObject([{ after: { reason: 'moved' } }]);
    for (const contested of [target, { service: 'fcm', token: freshToken.fcm() }]) {
      const ids = await Promise.all(people.map((who) => fixture.subscribe(who, contested)));
      const held = await Promise.all(people.map((who) => fixture.subscriptionsOf(who)));
      const left = held.flat().filter(({ id }) => ids.includes(id));
      expect(left).toHaveLength(1);
    }
  });

  it('is exchanged by two people at the same moment, time and again', async () => {
    const [ada, grace] = await Promise.all(['ada', 'grace'].map(account));
    const [one, other] = [freshToken.fcm(), freshToken.fcm()].map((token) => ({ service: 'fcm', token }));
    for (let time = 0; time < 30; time += 1) {
      await Promise.all([fixture.subscribe(ada!, one!), fixture.subscribe(grace!, other!)]);
      const answers = await Promise.all([fixture.register(ada!, other!), fixture.register(grace!, one!)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    }
  }, 60_000);

  it('is one of 20: the one whose session was seen longest ago makes room', async () => {
    const ada = await account('ada');
    const sessions = await Promise.all(Array.from({ length: 21 }, () => fixture.inAnotherSession(ada)));
    const ids: string[] = [];
    for (const session of sessions.slice(0, 20)) {
      ids.push(await fixture.subscribe(session, { service: 'fcm', token: freshToken.fcm() }));
    }
    await fixture.sql.rows(`UPDATE sessions SET last_seen_at = now() - interval '1 day' WHERE id = $1`, [
      sessions[7]!.sessionId,
    ]);
    const last = await fixture.subscribe(sessions[20]!, { service: 'fcm', token: freshToken.fcm() });
    const expected = [...ids.filter((id) => id !== ids[7]), last];
    expect((await fixture.subscriptionsOf(ada)).map(({ id }) => id).sort()).toEqual(expected.sort());
    expect(await removals(ids[7]!)).toMatchObject([{ after: { reason: 'too_many' } }]);
    const many = await Promise.all(
      sessions.map((session) => fixture.register(session, { service: 'apns', token: freshToken.apns() })),
    );
    expect(many.filter(({ status }) => status !== 200 && status !== 404)).toEqual([]);
    expect(await fixture.subscriptionsOf(ada)).toHaveLength(20);
  });

  it('is no one else’s to see or remove', async () => {
    const [ada, mallory] = await Promise.all([account('ada'), account('mallory')]);
    const id = await fixture.subscribe(ada, { service: 'fcm', token: freshToken.fcm() });
    const refused = await fixture.request(mallory, 'DELETE', `/notifications/push/subscriptions/${id}`);
    expect([refused.status, refused.body.code]).toEqual([404, 'push_subscription_not_found']);
    expect(await fixture.subscriptionsOf(mallory)).toEqual([]);
    expect((await fixture.subscriptionsOf(ada)).map((one) => one.id)).toEqual([id]);
  });

  it('is made once for each key, also when the answer was lost', async () => {
    const ada = await account('ada');
    const body = { service: 'fcm', token: freshToken.fcm() };
    const headers = { 'Idempotency-Key': randomUUID() };
    const answers = [await fixture.register(ada, body, headers), await fixture.register(ada, body, headers)];
    expect(answers[1]!.body).toEqual(answers[0]!.body);
  });

  it('ends with its session, and is deleted soon', async () => {
    const ada = await account('ada');
    const [ended, expired] = [await fixture.inAnotherSession(ada), await fixture.inAnotherSession(ada)];
    const target = { service: 'fcm', token: freshToken.fcm() };
    await fixture.subscribe(ended, target);
    await fixture.subscribe(expired, { service: 'fcm', token: freshToken.fcm() });
    await fixture.sql.rows('UPDATE sessions SET revoked_at = now() WHERE id = $1', [ended.sessionId]);
    await fixture.sql.rows('UPDATE sessions SET expires_at = now() WHERE id = $1', [expired.sessionId]);
    expect(await fixture.subscriptionsOf(ada)).toEqual([]);
    const renewed = await fixture.subscribe(ada, target);
    expect((await fixture.subscriptionsOf(ada)).map(({ id }) => id)).toEqual([renewed]);
    await fixture.application.get(PurgeRegistry).run('purge_push_subscriptions');
    const rows = await fixture.sql.rows('SELECT id FROM push_subscriptions WHERE user_id = $1', [ada.id]);
    expect(rows).toEqual([{ id: renewed }]);
  });
});

describe('a target', () => {
  const { p256dh, auth } = {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  };

  it.each([
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.7/push',
    'https://[::1]/push',
    'https://[::ffff:10.0.0.7]/push',
    'https://0x0a000007/push',
    'https://user:secret@push.example.com/abc',
    'ftp://push.example.com/abc',
    'push.example.com/abc',
  ])('inside the network, or no address, is refused: %s', async (endpoint) => {
    const refused = await fixture.register(await account('mallory'), {
      service: 'web_push',
      endpoint,
      keys: { p256dh, auth },
    });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_push_endpoint']);
  });

  it.each([
    [{ service: 'web_push', endpoint: 'https://push.example.com/abc' }, '/keys'],
    [{ service: 'web_push', keys: { p256dh, auth } }, '/endpoint'],
    [{ service: 'web_push', endpoint: 'https://push.example.com/a', keys: { p256dh, auth: 'short' } }, '/keys/auth'],
    [{ service: 'web_push', token: 'a'.repeat(40) }, '/endpoint'],
    [{ service: 'fcm', token: 'short' }, '/token'],
    [{ service: 'fcm' }, '/token'],
    [{ service: 'apns', token: 'g'.repeat(64) }, '/token'],
    [{ service: 'smoke', token: 'a'.repeat(64) }, '/service'],
    [{ token: 'a'.repeat(64) }, '/service'],
  ])('that is none is refused, with what is wrong: %j', async (body, pointer) => {
    const refused = await fixture.register(await account('ada'), body);
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request']);
    expect(JSON.stringify(refused.body)).toContain(`"${pointer}"`);
  });
});
