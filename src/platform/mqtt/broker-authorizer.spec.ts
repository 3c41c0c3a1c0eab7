import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AedesPublishPacket, Client, ConnectPacket, PublishPacket } from 'aedes';
import type { AppConfig } from '../../config/app-config.js';
import type { Clock } from '../../shared/clock.js';
import { ConnectionLimiter } from '../rate-limit/connection-limiter.js';
import { sha256 } from '../crypto/digest.js';
import { Metrics } from '../metrics/metrics.js';
import { type BrokerClientFactory } from './broker-client-factory.js';
import { CANARY_DEVICE_ID } from './line/canary-channels.js';
import { BrokerAuthorizer } from './broker-authorizer.js';
import type { DeviceAuthenticator, DeviceLogin } from './device-authenticator.js';
import type { CutoffRegistry } from './limits/cutoff-registry.js';
import type { DeviceLimiter } from './limits/device-limiter.js';
import { EndedTokenRegistry } from './limits/ended-token-registry.js';
import { FailedLoginLimiter } from './limits/failed-login-limiter.js';
import { type RejectedMessages } from './rejected-messages.js';

const INTERNAL = { username: 'backend', password: 'known to this process' };

/** Why something was refused, in order. */
let refused: string[] = [];
let verify: DeviceAuthenticator['verify'];
let listEnded: (logins: readonly DeviceLogin[]) => Promise<readonly DeviceLogin[]>;
let nowMs = 0;
let gate: BrokerAuthorizer;
let admitting = true;
let cut = false;

const clientOf = (): Client => ({ id: randomUUID(), conn: new EventEmitter(), closed: false }) as unknown as Client;

beforeEach(() => {
  refused = [];
  nowMs = 0;
  admitting = true;
  cut = false;
  verify = () => Promise.resolve(true);
  listEnded = (logins) => Promise.resolve(logins);
  const authenticator = {
    verify: (id: string, token: string) => verify(id, token),
    listEnded: (logins: readonly DeviceLogin[]) => listEnded(logins),
  } as unknown as DeviceAuthenticator;
  const config = {
    http: { trustedProxies: [] as readonly string[] },
    rateLimitScale: 1,
    connectionsPerAddress: 2,
  } as AppConfig;
  const waiting = new ConnectionLimiter(config, new Metrics());
  gate = new BrokerAuthorizer(
    { internal: INTERNAL } as BrokerClientFactory,
    authenticator,
    { operation: (_: string, reason: string) => refused.push(reason) } as unknown as RejectedMessages,
    { admitsLogin: () => admitting } as unknown as DeviceLimiter,
    { isCut: () => cut } as unknown as CutoffRegistry,
    new FailedLoginLimiter(config, { monotonic: () => nowMs } as Clock),
    waiting,
    new EndedTokenRegistry(),
  );
});

afterEach(() => {
  jest.useRealTimers();
});

/** A connection from one building. */
function connectionFrom(closed: Client[]): Client {
  const client = clientOf();
  Object.assign(client.conn, { remoteAddress: '192.0.2.7', destroy: () => closed.push(client) });
  gate.accept(client.conn as Socket);
  return client;
}

/** The return code of CONNACK; 0 when the client is let in. */
function login(client: Client, username?: string, password?: string): Promise<number> {
  return new Promise((resolve) => {
    const secret = password === undefined ? undefined : Buffer.from(password);
    gate.hooks().authenticate(client, username, secret, (error, success) => {
      resolve(success ? 0 : error!.returnCode);
    });
  });
}

function connected(packet: Partial<ConnectPacket>): Partial<ConnectPacket> {
  gate.hooks().preConnect(clientOf(), packet as ConnectPacket, () => undefined);
  return packet;
}

describe('the door of the broker', () => {
  it('takes no device for a silent connection that waits for its answer, such as a building after a restart', async () => {
    jest.useFakeTimers();
    const closed: Client[] = [];
    const locks = Array.from({ length: 5 }, () => login(connectionFrom(closed), randomUUID(), 'token'));
    const silent = Array.from({ length: 3 }, () => connectionFrom(closed));
    gate.open();
    expect(await Promise.all(locks)).toEqual(locks.map(() => 0));
    jest.advanceTimersByTime(1_000);
    expect(closed).toEqual(silent.slice(0, 1));
  });
});

describe('the open door of the broker', () => {
  beforeEach(() => {
    gate.open();
  });

  it.each([
    ['without a name and a secret', undefined, undefined, 4, 'not_a_device_id'],
    ['under a name that is no id', 'front-door', 'secret', 4, 'not_a_device_id'],
    ['under the id of the canary', CANARY_DEVICE_ID, 'secret', 4, 'not_a_device_id'],
    ['as the backend, with another password', INTERNAL.username, 'guessed', 4, 'bad_token'],
  ])('keeps out a client %s', async (_how, username, password, code, reason) => {
    expect(await login(clientOf(), username, password)).toBe(code);
    expect(refused).toEqual([reason]);
  });

  it('lets the backend in, which may read and write what no device may', async () => {
    const client = clientOf();
    expect(await login(client, INTERNAL.username, INTERNAL.password)).toBe(0);
    const allowed = await new Promise((resolve) => {
      gate.hooks().authorizeSubscribe(client, { topic: '#', qos: 1 }, (_error, granted) => {
        resolve(granted);
      });
    });
    expect(allowed).toEqual({ topic: '#', qos: 1 });
  });

  it('asks for patience, and lets nothing in, while tokens cannot be checked', async () => {
    verify = () => Promise.reject(new Error('no database'));
    expect(await login(clientOf(), randomUUID(), 'token')).toBe(3);
    expect(refused).toEqual(['unavailable']);
  });

  it('lets a device that comes too often, or was cut, wait, and asks no database for one that was cut', async () => {
    admitting = false;
    expect(await login(clientOf(), randomUUID(), 'token')).toBe(3);
    cut = true;
    verify = () => Promise.reject(new Error('asked'));
    expect(await login(clientOf(), randomUUID(), 'token')).toBe(3);
    expect(refused).toEqual(['too_many_logins', 'cut_off']);
  });

  it('sends no more to a device that does not read, because the next order for another would wait behind it', async () => {
    const client = clientOf();
    const packet = { topic: 'v1/devices/x/receipts', payload: Buffer.from('{}') } as AedesPublishPacket;
    await login(client, randomUUID(), 'token');
    const forwarded = (unread: number): boolean => {
      Object.assign(client.conn, { writableLength: unread });
      return gate.hooks().authorizeForward(client, packet) !== null;
    };
    expect([forwarded(0), forwarded(40_000), forwarded(1_000)]).toEqual([true, false, true]);
    expect(refused).toEqual(['reads_too_slowly']);
  });

  it('revokes nothing when it cannot find out what to revoke', async () => {
    const id = randomUUID();
    expect(await login(clientOf(), id, 'token')).toBe(0);
    expect(await gate.listEnded()).toMatchObject([{ deviceId: id, tokenHash: sha256('token') }]);
    listEnded = () => Promise.reject(new Error('no database'));
    expect(await gate.listEnded()).toEqual([]);
  });

  it('believes nothing of what a client says about its session', () => {
    const will = { topic: 'v1/devices/other/status', payload: Buffer.alloc(0), qos: 1, retain: false } as const;
    expect(connected({ clientId: 'mine', clean: false, keepalive: 0 })).toMatchObject({
      clientId: '/mine',
      clean: true,
      keepalive: 120,
    });
    expect(connected({ clientId: 'mine', username: 'a', keepalive: 3_600, will })).toMatchObject({
      clientId: 'a',
      keepalive: 120,
    });
    expect(connected({ clientId: 'mine', username: 'a', keepalive: 30 })).toMatchObject({ keepalive: 30 });
  });

  it('lets the broker itself publish, and a client that never logged in nothing', () => {
    const packet = { topic: 'v1/devices/x/events', payload: Buffer.from('{}'), qos: 1, retain: false } as PublishPacket;
    const codes: (string | undefined)[] = [];
    for (const client of [null, clientOf()]) {
      gate.hooks().authorizePublish(client, packet, (error) => codes.push(error?.message));
    }
    expect(codes).toEqual([undefined, 'revoked']);
  });

  it('lets a client that never logged in read nothing', async () => {
    const granted = await new Promise((resolve) => {
      gate.hooks().authorizeSubscribe(clientOf(), { topic: '#', qos: 1 }, (_error, subscription) => {
        resolve(subscription);
      });
    });
    expect([granted, refused]).toEqual([null, ['revoked']]);
  });
});
