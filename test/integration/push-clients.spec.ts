/** Browsers and FCM, against servers that check tokens, headers and bodies as RFC 8030, 8188, 8291 and 8292 and Google's documents say. */
import { createECDH } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FcmClient } from '../../src/platform/push/fcm-client.js';
import { WebPushClient } from '../../src/platform/push/web-push-client.js';
import { fcmError, GoogleServer, json } from '../support/google-server.js';
import { failure, gone, LONG, MESSAGE, pushRig } from '../support/push.fixture.js';
import { PushService } from '../support/push-service.js';

const { clock, clientsWith } = pushRig();

describe('WebPushClient', () => {
  const keys = createECDH('prime256v1');
  keys.generateKeys();
  const VAPID = { VAPID_PRIVATE_KEY: keys.getPrivateKey('base64url'), VAPID_SUBJECT: 'mailto:ops@example.com' };
  let browser: PushService;
  let client: WebPushClient;

  beforeEach(async () => {
    client = (await clientsWith(VAPID)).get(WebPushClient);
    browser = await PushService.start(client.publicKey ?? '');
  });

  afterEach(() => {
    browser.server.stop();
  });

  it('sends what only the browser can read, signed with the key that it has subscribed with', async () => {
    browser.server.answer((response) => response.writeHead(201, { location: '/m/1' }).end());
    expect(await client.send(browser.subscription, MESSAGE)).toEqual({ sent: true, providerId: '/m/1' });
    const [request] = browser.server.requests;
    const { text, claims, headers } = await browser.received(request!);
    const { id, title, body, url, data } = MESSAGE;
    expect(JSON.parse(text)).toEqual({ id, title, body, url, data });
    expect(claims).toMatchObject({ aud: browser.server.url, sub: 'mailto:ops@example.com' });
    expect(Number(claims.exp) - Date.now() / 1_000).toBeLessThanOrEqual(86_400);
    expect(headers).toMatchObject({ ttl: '3600', urgency: 'high', 'content-encoding': 'aes128gcm' });
    expect(headers.topic).toMatch(/^[\w-]{32}$/);
    expect([request!.method, request!.url]).toEqual(['POST', '/push/abc']);
  });

  it('gives attempts and replacements one topic, and cuts what a service would refuse', async () => {
    browser.server.answer((response) => response.writeHead(201).end());
    for (const message of [MESSAGE, { ...LONG, isUrgent: false }, { ...MESSAGE, collapseKey: null }]) {
      expect(await client.send(browser.subscription, message)).toEqual({ sent: true, providerId: null });
    }
    const [first, second, third] = browser.server.requests;
    expect(second!.headers.topic).toBe(first!.headers.topic);
    expect(third!.headers.topic).not.toBe(first!.headers.topic);
    expect(second!.headers.urgency).toBe('normal');
    expect(second!.body.length).toBeLessThanOrEqual(4_096);
    expect(second!.body.length).toBeGreaterThan(4_080);
    const { body } = JSON.parse((await browser.received(second!)).text) as { body: string };
    expect(body).toMatch(/^(?:🚪")+🚪?…$/u);
  });

  it.each([
    [404, {}, gone('web_push_404')],
    [410, {}, gone('web_push_410')],
    [400, {}, failure('web_push_400', { isPermanent: true })],
    [403, {}, failure('web_push_403')],
    [413, {}, failure('web_push_413', { isPermanent: true })],
    [429, { 'retry-after': '120' }, failure('web_push_429', { retryAfterMs: 120_000 })],
    [503, { 'retry-after': 'soon' }, failure('web_push_503')],
    [302, { location: 'http://127.0.0.1/' }, failure('web_push_redirected', { isPermanent: true })],
  ])('says what %i means', async (status, headers, expected) => {
    browser.server.answer((response) => response.writeHead(status, headers).end());
    expect(await client.send(browser.subscription, MESSAGE)).toEqual(expected);
  });

  it('reaches nothing inside, and needs a sound subscription and a key', async () => {
    const inside = { ...browser.subscription, endpoint: 'https://10.0.0.1/push' };
    expect(await client.send(inside, MESSAGE)).toEqual(failure('web_push_address_not_allowed', { isPermanent: true }));
    const broken = { ...browser.subscription, p256dh: Buffer.alloc(65, 4).toString('base64url') };
    expect(await client.send(broken, MESSAGE)).toEqual(gone('web_push_invalid_subscription'));
    const without = (await clientsWith({})).get(WebPushClient);
    expect(without.publicKey).toBeNull();
    expect(await without.send(browser.subscription, MESSAGE)).toEqual(failure('not_configured', { isPermanent: true }));
    expect(browser.server.requests).toEqual([]);
  });
});

describe('FcmClient', () => {
  let google: GoogleServer;
  let client: FcmClient;

  beforeEach(async () => {
    google = await GoogleServer.start();
    google.giveTokens();
    google.fcm.answer(json(200, { name: 'projects/doors-1/messages/0:1' }));
    const settings = { FCM_SERVICE_ACCOUNT: google.serviceAccount, FCM_URL: google.fcm.url };
    client = (await clientsWith(settings)).get(FcmClient);
  });

  afterEach(() => {
    google.stop();
  });

  it('sends with an access token of its service account', async () => {
    expect(await client.send('tok:en', MESSAGE)).toEqual({ sent: true, providerId: 'projects/doors-1/messages/0:1' });
    const claims = await google.claimsOf(google.tokens.requests[0]!);
    expect(claims).toMatchObject({
      scope: 'https://www.googleapis.com/auth/firebase.messaging',
      kid: 'b5d7',
      url: '/token',
      type: expect.stringMatching(/^application\/x-www-form-urlencoded/),
      grant: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(3_600);
    const { url, headers, body } = google.fcm.requests[0]!;
    expect([url, headers.authorization]).toEqual(['/v1/projects/doors-1/messages:send', 'Bearer token-1']);
    const { message } = JSON.parse(body.toString()) as { message: Record<string, Record<string, unknown>> };
    expect(message).toMatchObject({
      token: 'tok:en',
      notification: { title: MESSAGE.title, body: MESSAGE.body },
      data: { kind: 'door_forced', id: MESSAGE.id, url: MESSAGE.url },
      android: {
        priority: 'HIGH',
        ttl: '3600s',
        collapse_key: 'door_forced/1',
        notification: { tag: 'door_forced/1' },
      },
      apns: { headers: { 'apns-priority': '10', 'apns-collapse-id': 'door_forced/1' } },
    });
  });

  it('asks for one access token at a time, and keeps it until it expires', async () => {
    await Promise.all(Array.from({ length: 20 }, () => client.send('t', MESSAGE)));
    clock.aheadMs = 3_500_000;
    await client.send('t', LONG);
    expect(google.tokens.requests.length).toBe(1);
    expect(google.fcm.requests.at(-1)!.body.length).toBeLessThanOrEqual(4_096);
    clock.aheadMs = 3_545_000;
    await client.send('t', MESSAGE);
    const used = google.fcm.requests.map(({ headers }) => headers.authorization);
    expect(used).toEqual([...Array.from({ length: 21 }, () => 'Bearer token-1'), 'Bearer token-2']);
  });

  it('asks for another one when Google does not know it any more, once', async () => {
    google.fcm.answer(fcmError(401, 'UNAUTHENTICATED'), json(200, { name: 'n' }));
    expect(await client.send('t', MESSAGE)).toEqual({ sent: true, providerId: 'n' });
    expect(google.fcm.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
    google.fcm.answer(fcmError(401, 'UNAUTHENTICATED'));
    expect(await client.send('t', MESSAGE)).toEqual(failure('fcm_unauthenticated'));
    expect(google.fcm.requests.length).toBe(2);
  });

  it('sends nothing without an access token, and tries again for the next message', async () => {
    google.tokens.answer(json(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }));
    expect(await client.send('t', MESSAGE)).toEqual(failure('fcm_no_access_token_invalid_grant'));
    expect(google.fcm.requests).toEqual([]);
    google.giveTokens();
    expect(await client.send('t', MESSAGE)).toMatchObject({ sent: true });
  });

  it.each([
    [fcmError(404, 'NOT_FOUND', { code: 'UNREGISTERED' }), gone('fcm_unregistered')],
    [
      fcmError(400, 'INVALID_ARGUMENT', {
        code: 'INVALID_ARGUMENT',
        message: 'The registration token is not a valid FCM registration token',
      }),
      gone('fcm_invalid_token'),
    ],
    [fcmError(400, 'INVALID_ARGUMENT', { field: 'message.token' }), gone('fcm_invalid_token')],
    [
      fcmError(400, 'INVALID_ARGUMENT', { code: 'INVALID_ARGUMENT', field: 'message.data' }),
      failure('fcm_invalid_argument', { isPermanent: true }),
    ],
    [
      fcmError(403, 'PERMISSION_DENIED', { code: 'SENDER_ID_MISMATCH' }),
      failure('fcm_sender_id_mismatch', { isPermanent: true }),
    ],
    [fcmError(403, 'PERMISSION_DENIED'), failure('fcm_permission_denied')],
    [fcmError(401, 'UNAUTHENTICATED', { code: 'THIRD_PARTY_AUTH_ERROR' }), failure('fcm_third_party_auth_error')],
    [
      fcmError(429, 'RESOURCE_EXHAUSTED', { code: 'QUOTA_EXCEEDED' }),
      failure('fcm_quota_exceeded', { retryAfterMs: 60_000 }),
    ],
    [
      json(503, { error: { status: 'UNAVAILABLE' } }, { 'retry-after': '30' }),
      failure('fcm_unavailable', { retryAfterMs: 30_000 }),
    ],
    [json(502, 'Bad gateway'), failure('fcm_502')],
  ])('says what each of its answers means (%#)', async (answer, expected) => {
    google.fcm.answer(answer);
    expect(await client.send('t', MESSAGE)).toEqual(expected);
  });

  it('needs a service account, and a server that answers', async () => {
    const without = (await clientsWith({})).get(FcmClient);
    expect([client.isConfigured, without.isConfigured]).toEqual([true, false]);
    expect(await without.send('t', MESSAGE)).toEqual(failure('not_configured', { isPermanent: true }));
    google.fcm.answer((response) => response.socket?.resetAndDestroy());
    expect(await client.send('t', MESSAGE)).toEqual(failure('fcm_connection_failed'));
  });
});
