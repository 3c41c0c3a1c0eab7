import { describe, expect, it } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { Metrics } from '../../../platform/metrics/metrics.js';
import type { DevicePublisher } from '../../../platform/mqtt/device-publisher.js';
import type { RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import { Clock } from '../../../shared/clock.js';
import { OrderPublisher } from './order-publisher.js';

class FakeClock extends Clock {
  time = 0;
  now(): number {
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
}

const signed = { order: '{}', kid: 'k', signature: 's' };

function setup(publish: () => Promise<boolean> = () => Promise.resolve(true)) {
  const published: unknown[][] = [];
  let unheard: () => void = () => undefined;
  const errors: unknown[] = [];
  const clock = new FakeClock();
  const metrics = new Metrics();
  const publisher = {
    isConnected: () => true,
    publish: (deviceId: string, channel: string, message: unknown, onUnheard: () => void) => {
      published.push([deviceId, channel, message]);
      unheard = onUnheard;
      return publish();
    },
  } as unknown as DevicePublisher;
  const logger = {
    setContext: () => undefined,
    error: (fields: unknown) => errors.push(fields),
  } as unknown as PinoLogger;
  const notices: string[][] = [];
  const refusals = { notice: (...what: string[]) => notices.push(what) } as unknown as RejectedMessages;
  const orders = new OrderPublisher(publisher, clock, refusals, logger, metrics);
  const counted = async (outcome: string): Promise<number> => {
    const { values } = await metrics.counter<'outcome'>('mortise_orders_published_total', '', ['outcome']).get();
    return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  };
  return {
    orders,
    clock,
    published,
    errors,
    notices,
    unheard: () => {
      unheard();
    },
    counted,
  };
}

describe('OrderPublisher', () => {
  it('publishes an order in time', async () => {
    const { orders, clock, published, counted } = setup();
    const notAfter = orders.now() + 15_000;
    clock.time += 14_999;
    orders.publish('device-1', signed, notAfter);
    expect(published).toEqual([['device-1', 'commands', signed]]);
    await Promise.resolve();
    expect(await counted('acknowledged')).toBe(1);
    expect(orders.isConnected()).toBe(true);
  });

  it('withholds an order when this process was stopped past the deadline after the commit', async () => {
    const { orders, clock, published, counted } = setup();
    const notAfter = orders.now() + 15_000;
    clock.time += 60_000;
    orders.publish('device-1', signed, notAfter);
    expect(published).toEqual([]);
    expect(await counted('withheld')).toBe(1);
  });

  it('withholds an order at the exact deadline', () => {
    const { orders, clock, published } = setup();
    clock.time += 15_000;
    orders.publish('device-1', signed, 15_000);
    expect(published).toEqual([]);
  });

  it('does not treat an unreachable broker as an error: the command stays SENT', async () => {
    const { orders, errors, counted } = setup(() => Promise.resolve(false));
    orders.publish('device-1', signed, 15_000);
    await Promise.resolve();
    expect([await counted('lost'), errors]).toEqual([1, []]);
  });

  it('logs that publishing failed, without the order', async () => {
    const { orders, errors, counted } = setup(() => Promise.reject(new Error('no')));
    orders.publish('device-1', signed, 15_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await counted('lost')).toBe(1);
    expect(JSON.stringify(errors)).not.toContain('signature');
    expect(errors).toHaveLength(1);
  });

  it('tells the device that the broker had no subscriber for its order', () => {
    const { orders, notices, unheard } = setup();
    orders.publish('device-1', signed, 15_000);
    expect(notices).toEqual([]);
    unheard();
    expect(notices).toEqual([['not_subscribed', 'v1/devices/device-1/commands', expect.any(String)]]);
  });
});
