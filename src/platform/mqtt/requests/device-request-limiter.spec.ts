import { afterEach, describe, expect, it } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import type { AppConfig } from '../../../config/app-config.js';
import type { Clock } from '../../../shared/clock.js';
import { DomainError } from '../../../shared/domain-error.js';
import { newContext } from '../../context/request-context.js';
import type { Metrics } from '../../metrics/metrics.js';
import type { IpRateLimiter } from '../../rate-limit/ip-rate-limiter.js';
import type { SignalBus } from '../../redis/signal-bus.js';
import type { DeviceAuthenticator } from '../device-authenticator.js';
import { CutoffRegistry } from '../limits/cutoff-registry.js';
import { DeviceLimiter } from '../limits/device-limiter.js';
import type { DeviceOwnerCache } from '../limits/device-owner-cache.js';
import { FailedLoginLimiter } from '../limits/failed-login-limiter.js';
import type { RejectedMessages } from '../rejected-messages.js';
import { DeviceRequestLimiter } from './device-request-limiter.js';

const [DEVICE, OTHER] = ['0192a7c4-5b1e-7d3a-9c40-2f6e8b1d7a55', '0192a7c4-5b1e-7d3a-9c40-2f6e8b1d7a56'];
const TOKENS: Readonly<Record<string, string>> = { [DEVICE]: 'mine', [OTHER]: 'theirs' };
const CONFIG = { rateLimitScale: 1, http: { trustedProxies: [] } } as unknown as AppConfig;

let server: FastifyInstance | undefined;

afterEach(() => server?.close());

/** Answers `hold` only when it is released. */
function build() {
  let now = 1_000;
  let asked = 0;
  const clock = { monotonic: () => now } as Clock;
  const cutoffs = new CutoffRegistry(
    CONFIG,
    clock,
    { counter: () => ({ inc: () => undefined }) } as unknown as Metrics,
    { publish: () => undefined } as unknown as SignalBus,
  );
  const limiter = new DeviceRequestLimiter(
    {
      verify: (id: string, token: string) => {
        asked += 1;
        return Promise.resolve(TOKENS[id] === token);
      },
    } as DeviceAuthenticator,
    new FailedLoginLimiter(CONFIG, clock),
    new DeviceLimiter(CONFIG, clock),
    { get: () => undefined } as unknown as DeviceOwnerCache,
    cutoffs,
    { operation: () => undefined } as unknown as RejectedMessages,
    { settle: () => undefined } as unknown as IpRateLimiter,
  );
  const held: (() => void)[] = [];
  server = fastify();
  server.addHook('onRequest', (request, _reply, done) => {
    request.requestContext = newContext('http', 'anonymous');
    done();
  });
  limiter.install(server);
  server.setErrorHandler((error, _request, reply) =>
    reply.send(error instanceof DomainError ? { code: error.code, ...error.members } : { code: 'fault' }),
  );
  server.post('/:deviceId/heartbeat', { config: { uplinkChannel: 'heartbeat' } }, (request) => ({
    actor: request.requestContext?.actor,
  }));
  server.post('/:deviceId/events', { config: { uplinkChannel: 'events' } }, async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return {};
  });
  server.post('/others', (request) => ({ settled: request.settledAsAnonymous ?? false }));
  const send = async (id: string, token?: string, path = `/${id}/heartbeat`): Promise<Record<string, unknown>> =>
    (
      await server!.inject({
        method: 'POST',
        url: path,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      })
    ).json();
  return { send, cutoffs, held, pass: (ms: number) => (now += ms), asked: () => asked };
}

const INVALID = { code: 'device_token_invalid' };
const limited = (limit: string): object => ({ code: 'device_limited', limit });

describe('DeviceRequestLimiter', () => {
  it('lets a device in by its own token alone, and leaves other routes alone', async () => {
    const { send } = build();
    expect(await send(DEVICE, 'mine')).toEqual({ actor: `device:${DEVICE}` });
    expect(await send(DEVICE.toUpperCase(), 'mine')).toEqual({ actor: `device:${DEVICE}` });
    expect(await send(DEVICE, 'theirs')).toEqual(INVALID);
    expect(await send('front-door', 'mine')).toEqual(INVALID);
    expect(await send(DEVICE)).toEqual(INVALID);
    expect(await send('', undefined, '/others')).toEqual({ settled: false });
  });

  it('asks the database no more for an address that guesses, and keeps no device out whose token was good there', async () => {
    const { send, asked } = build();
    await send(DEVICE, 'mine');
    const guesses = Array.from(
      { length: 120 },
      (_, index) => `0192a7c4-5b1e-7d3a-9c40-${String(index).padStart(12, '0')}`,
    );
    for (const id of guesses) {
      await send(id, 'guess');
    }
    expect(await send(OTHER, 'guess')).toEqual(limited('too_many_failures'));
    expect(asked()).toBeLessThan(100);
    expect(await send(DEVICE, 'mine')).toEqual({ actor: `device:${DEVICE}` });
  });

  it('takes of a device what MQTT takes, whatever others send', async () => {
    const { send, pass } = build();
    const answers = new Set<unknown>();
    for (let count = 0; count < 1_201; count += 1) {
      answers.add((await send(DEVICE, 'mine')).limit);
    }
    expect([...answers]).toEqual([undefined, 'too_many_messages']);
    expect(await send(OTHER, 'theirs')).toEqual({ actor: `device:${OTHER}` });
    pass(1_000);
    expect(await send(DEVICE, 'mine')).toEqual({ actor: `device:${DEVICE}` });
  });

  it('has four requests of a device under way at a time', async () => {
    const { send, held } = build();
    const events = `/${DEVICE}/events`;
    const four = [1, 2, 3, 4].map(() => send(DEVICE, 'mine', events));
    while (held.length < 4) {
      await new Promise(setImmediate);
    }
    expect(await send(DEVICE, 'mine', events)).toEqual(limited('too_many_waiting'));
    expect(await send(OTHER, 'theirs')).toEqual({ actor: `device:${OTHER}` });
    held.forEach((release) => {
      release();
    });
    expect(await Promise.all(four)).toEqual([{}, {}, {}, {}]);
    expect(await send(DEVICE, 'mine')).toEqual({ actor: `device:${DEVICE}` });
  });

  it('refuses a device that is cut, until it is not', async () => {
    const { send, cutoffs, pass } = build();
    cutoffs.strike(DEVICE, 'invalid_request', Number.MAX_SAFE_INTEGER);
    expect(await send(DEVICE, 'mine')).toEqual(limited('cut_off'));
    pass(61_000);
    expect(await send(DEVICE, 'mine')).toEqual({ actor: `device:${DEVICE}` });
  });
});
