/** APNs, against a server of HTTP/2 that checks tokens, headers and payloads as Apple's documents say, and that fails as networks do. */
import { setTimeout as pause } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ApnsClient } from '../../src/platform/push/apns-client.js';
import { ApnsTransport } from '../../src/platform/push/apns-transport.js';
import { type ApnsReaction, ApnsServer } from '../support/apns-server.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { failure, gone, LONG, MESSAGE, pushRig } from '../support/push.fixture.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { selfSigned } from '../support/self-signed.js';

const TARGET = 'ab'.repeat(32);
const { clock, clientsWith } = pushRig();

describe('ApnsClient', () => {
  let apple: ApnsServer;
  let client: ApnsClient;
  const settingsFor = (url: string): Record<string, string> => ({
    APNS_PRIVATE_KEY: ApnsServer.keyFile,
    APNS_KEY_ID: 'ABC123DEFG',
    APNS_TEAM_ID: 'DEF123GHIJ',
    APNS_TOPIC: 'com.example.doors',
    APNS_URL: url,
  });

  beforeEach(async () => {
    apple = await ApnsServer.start();
    client = (await clientsWith(settingsFor(apple.url))).get(ApnsClient);
  });

  afterEach(() => apple.stop());

  it('sends with what Apple asks for in headers, token and payload', async () => {
    const outcome = await client.send(TARGET, MESSAGE);
    const [push] = apple.arrived;
    const { headers, body } = push!;
    expect(outcome).toEqual({ sent: true, providerId: headers['apns-id'] });
    expect(headers).toMatchObject({
      ':method': 'POST',
      ':path': `/3/device/${TARGET}`,
      'apns-topic': 'com.example.doors',
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-collapse-id': 'door_forced/1',
    });
    expect(headers['apns-id']).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/);
    expect(Math.abs(Number(headers['apns-expiration']) - Date.now() / 1_000 - 3_600)).toBeLessThan(60);
    expect(body).toEqual({
      aps: {
        alert: { title: MESSAGE.title, body: MESSAGE.body },
        sound: 'default',
        'interruption-level': 'time-sensitive',
      },
      id: MESSAGE.id,
      url: MESSAGE.url,
      data: MESSAGE.data,
    });
    const token = await ApnsServer.tokenOf(push!);
    expect(token).toMatchObject({ iss: 'DEF123GHIJ', kid: 'ABC123DEFG' });
    expect(Math.abs(Number(token.iat) - Date.now() / 1_000)).toBeLessThan(60);
  });

  it('names an attempt as the one before, and another target or message otherwise', async () => {
    await client.send(TARGET, { ...LONG, isUrgent: false, ttlS: 0, collapseKey: 'ä'.repeat(99) });
    await client.send(TARGET, MESSAGE);
    await client.send('cd'.repeat(32), MESSAGE);
    await client.send(TARGET, { ...MESSAGE, id: '0197f2ab-7c1e-7d2a-9d3b-000000000000', collapseKey: null });
    const [first, ...others] = apple.arrived;
    const idOf = ({ headers }: (typeof apple.arrived)[number]): string => String(headers['apns-id']);
    expect(idOf(others[0]!)).toBe(idOf(first!));
    expect(new Set(others.map(idOf)).size).toBe(3);
    expect(first!.headers).toMatchObject({ 'apns-priority': '5', 'apns-expiration': '0' });
    expect(first!.headers['apns-collapse-id']).toMatch(/^[\w-]{43}$/);
    expect(others[2]!.headers['apns-collapse-id']).toBe('0197f2ab-7c1e-7d2a-9d3b-000000000000');
    expect(first!.bytes).toBeLessThanOrEqual(4_096);
    expect(first!.bytes).toBeGreaterThan(4_080);
  });

  it('keeps its token for forty minutes, and makes none sooner than after twenty', async () => {
    const tokenAfter = async (minutes: number): Promise<unknown> => {
      clock.aheadMs = minutes * 60_000;
      await client.send(TARGET, MESSAGE);
      return apple.arrived.at(-1)!.headers.authorization;
    };
    const first = await tokenAfter(0);
    expect(await tokenAfter(39)).toBe(first);
    const second = await tokenAfter(40);
    expect(second).not.toBe(first);
    apple.react = () => ({ status: 403, reason: 'ExpiredProviderToken' });
    expect(await tokenAfter(59)).toBe(second);
    expect(apple.arrived.length).toBe(4);
    apple.react = ({ headers }) =>
      headers.authorization === second ? { status: 403, reason: 'ExpiredProviderToken' } : { status: 200 };
    expect(await tokenAfter(61)).not.toBe(second);
    expect(apple.arrived.length).toBe(6);
  });

  it.each<[ApnsReaction, object]>([
    [{ status: 410, reason: 'Unregistered' }, gone('apns_unregistered')],
    [{ status: 410, reason: 'ExpiredToken' }, gone('apns_expired_token')],
    [{ status: 400, reason: 'BadDeviceToken' }, gone('apns_bad_device_token')],
    [
      { status: 400, reason: 'DeviceTokenNotForTopic' },
      failure('apns_device_token_not_for_topic', { isPermanent: true }),
    ],
    [{ status: 403, reason: 'InvalidProviderToken' }, failure('apns_invalid_provider_token')],
    [{ status: 413, reason: 'PayloadTooLarge' }, failure('apns_payload_too_large', { isPermanent: true })],
    [{ status: 429, reason: 'TooManyRequests' }, failure('apns_too_many_requests')],
    [
      { status: 503, reason: 'Shutdown', headers: { 'retry-after': '7' } },
      failure('apns_shutdown', { retryAfterMs: 7_000 }),
    ],
    [{ status: 500 }, failure('apns_500')],
    [
      (stream) => {
        stream.close(2);
      },
      failure('apns_connection_failed'),
    ],
  ])('says what each answer means (%#)', async (reaction, expected) => {
    apple.react = () => reaction;
    expect(await client.send(TARGET, MESSAGE)).toEqual(expected);
  });

  it('sends everything over one connection, and over a new one after GOAWAY', async () => {
    await Promise.all(Array.from({ length: 50 }, () => client.send(TARGET, MESSAGE)));
    expect(apple.connections).toBe(1);
    apple.goAway();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => client.send(TARGET, MESSAGE)));
    expect(outcomes.filter(({ sent }) => sent).length).toBe(20);
    expect(apple.connections).toBe(2);
  });

  it('sends what was not begun with once more, and nothing else', async () => {
    let refused = 0;
    apple.react = () => {
      refused += 1;
      return refused === 1
        ? (stream) => {
            stream.close(7);
          }
        : { status: 200 };
    };
    expect(await client.send(TARGET, MESSAGE)).toMatchObject({ sent: true });
    apple.react = () => (stream) => {
      stream.close(7);
    };
    expect(await client.send(TARGET, MESSAGE)).toEqual(failure('apns_connection_failed'));
    expect(apple.arrived.length).toBe(4);
  });

  it('speaks to a server with a certificate that holds, and to no other', async () => {
    const certificate = selfSigned('localhost');
    const secure = await ApnsServer.start(certificate);
    const before = getCACertificates('default');
    try {
      const other = (await clientsWith(settingsFor(`https://localhost:${String(secure.port)}`))).get(ApnsClient);
      expect(await other.send(TARGET, MESSAGE)).toEqual(failure('apns_connection_failed'));
      expect(secure.arrived).toEqual([]);
      setDefaultCACertificates([...before, certificate.cert]);
      expect(await other.send(TARGET, MESSAGE)).toMatchObject({ sent: true });
    } finally {
      setDefaultCACertificates(before);
      await secure.stop();
    }
  });

  it('needs a key, and sends nothing after the end of the application', async () => {
    const without = (await clientsWith({})).get(ApnsClient);
    expect([client.isConfigured, without.isConfigured]).toEqual([true, false]);
    expect(await without.send(TARGET, MESSAGE)).toEqual(failure('not_configured', { isPermanent: true }));
    await client.send(TARGET, MESSAGE);
    client.onApplicationShutdown();
    await pause(100);
    expect(await client.send(TARGET, MESSAGE)).toEqual(failure('apns_connection_failed'));
    expect(apple.connections).toBe(1);
  });
});

describe('ApnsTransport', () => {
  const HEADERS = { ':method': 'POST', ':path': '/3/device/ab' };
  let apple: ApnsServer;
  let network: FaultProxy;
  let transport: ApnsTransport;
  const open = (times: Partial<ConstructorParameters<typeof ApnsTransport>[1] & object> = {}): void => {
    transport = new ApnsTransport(network.url, {
      connectWithin: 2_000,
      answerWithin: 300,
      trustedFor: 60_000,
      pongWithin: 300,
      ...times,
    });
  };

  beforeAll(async () => {
    apple = await ApnsServer.start();
    network = await FaultProxy.inFrontOf(apple.url);
  });

  beforeEach(() => {
    apple.react = () => ({ status: 200 });
  });

  afterEach(() => {
    transport.close();
  });

  afterAll(async () => {
    await network.close();
    await apple.stop();
  });

  it('gives a silent connection up with the request, and heals with the next one', async () => {
    open();
    await transport.request(HEADERS, '{}');
    const before = apple.connections;
    network.silence();
    await expect(transport.request(HEADERS, '{}')).rejects.toMatchObject({ reason: 'timed_out' });
    expect((await transport.request(HEADERS, '{}')).status).toBe(200);
    expect(apple.connections).toBe(before + 1);
  });

  it('keeps a connection on which others are answered', async () => {
    open();
    await transport.request(HEADERS, '{}');
    const before = apple.connections;
    apple.react = ({ headers }) => (headers['x-slow'] === '1' ? null : { status: 200 });
    const slow = expect(transport.request({ ...HEADERS, 'x-slow': '1' }, '{}')).rejects.toMatchObject({
      reason: 'timed_out',
    });
    await pause(100);
    await transport.request(HEADERS, '{}');
    await slow;
    expect((await transport.request(HEADERS, '{}')).status).toBe(200);
    expect(apple.connections).toBe(before);
  });

  it('asks one that was idle for a sign of life, and loses no request on a dead one', async () => {
    open({ trustedFor: 50, answerWithin: 5_000 });
    await transport.request(HEADERS, '{}');
    const before = apple.connections;
    await pause(100);
    expect((await transport.request(HEADERS, '{}')).status).toBe(200);
    expect(apple.connections).toBe(before);
    await pause(100);
    expect(network.silence()).toBe(1);
    const answers = await Promise.all(Array.from({ length: 5 }, () => transport.request(HEADERS, '{}')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(apple.connections).toBe(before + 1);
  });

  it('gives a server up that takes the connection, and says nothing', async () => {
    open({ connectWithin: 200 });
    network.silenceNew();
    await expect(transport.request(HEADERS, '{}')).rejects.toMatchObject({ reason: 'connection_failed' });
    network.up();
    expect((await transport.request(HEADERS, '{}')).status).toBe(200);
  });

  it('bounds an answer, and a server that does not speak HTTP/2', async () => {
    open();
    apple.react = () => (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('a'.repeat(20_000));
    };
    await expect(transport.request(HEADERS, '{}')).rejects.toMatchObject({ reason: 'invalid_answer' });
    const plain = await ScriptedServer.start();
    const other = new ApnsTransport(plain.url);
    await expect(other.request(HEADERS, '{}')).rejects.toMatchObject({ reason: 'connection_failed' });
    plain.stop();
  });
});
