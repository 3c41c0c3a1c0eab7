import { describe, expect, it } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { Metrics } from '../../../platform/metrics/metrics.js';
import type { DevicePublisher } from '../../../platform/mqtt/device-publisher.js';
import type { RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import type { DeviceSocketPublisher } from '../../../platform/realtime/devices/device-socket-publisher.js';
import type { SignalBus } from '../../../platform/redis/signal-bus.js';
import { Clock } from '../../../shared/clock.js';
import type { LinkKind } from '../../../contracts/devices.js';
import type { CommandChange } from '../commands.types.js';
import type { Transmission } from './dispatch.rows.js';
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

function order(links: readonly LinkKind[] = ['mqtt'], attempts = 1): Transmission {
  const command = { id: 'command-1', deviceId: 'device-1', name: 'unlock_door', attempts } as CommandChange;
  return { command, signed, links, remainingMs: 15_000 };
}

type Answer = () => Promise<boolean>;

/** @param socket what the socket of this process answers; left out when another process has it */
function setup({ mqtt = () => Promise.resolve(true), socket }: { mqtt?: Answer; socket?: Answer } = {}) {
  const published: unknown[][] = [];
  const heard = { byBroker: true };
  const errors: unknown[] = [];
  const clock = new FakeClock();
  const metrics = new Metrics();
  const publisher = {
    isConnected: () => true,
    publish: (deviceId: string, channel: string, message: unknown, onUnheard: () => void) => {
      published.push([deviceId, channel, message]);
      if (!heard.byBroker) {
        onUnheard();
      }
      return mqtt();
    },
  } as unknown as DevicePublisher;
  const sockets = {
    has: () => socket !== undefined,
    publish: (deviceId: string, name: string, message: unknown) => {
      published.push([deviceId, name, message]);
      return socket?.();
    },
  } as unknown as DeviceSocketPublisher;
  const signals = {
    publish: (name: string, body: object) => published.push([name, body]),
  } as unknown as SignalBus;
  const logger = {
    setContext: () => undefined,
    error: (fields: unknown) => errors.push(fields),
  } as unknown as PinoLogger;
  const notices: string[][] = [];
  const refusals = { notice: (...what: string[]) => notices.push(what) } as unknown as RejectedMessages;
  const orders = new OrderPublisher(publisher, sockets, signals, clock, refusals, logger, metrics);
  const counted = async (outcome: string): Promise<number> => {
    const { values } = await metrics.counter<'outcome'>('mortise_orders_published_total', '', ['outcome']).get();
    return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  };
  const settled = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));
  return { orders, clock, published, errors, notices, heard, counted, settled };
}

const overMqtt = ['device-1', 'commands', signed];
const overSocket = ['device-1', 'unlock_door', signed];
const hint = ['order_sent', { deviceId: 'device-1', commandId: 'command-1' }];
const no: Answer = () => Promise.resolve(false);
const yes: Answer = () => Promise.resolve(true);

describe('OrderPublisher', () => {
  it('publishes an order in time', async () => {
    const { orders, clock, published, counted, settled } = setup();
    const notAfter = orders.now() + 15_000;
    clock.time += 14_999;
    orders.publish(order(), notAfter);
    expect(published).toEqual([overMqtt]);
    await settled();
    expect(await counted('acknowledged')).toBe(1);
  });

  it.each([60_000, 15_000])('withholds an order %i ms after the commit, at its deadline or past it', async (ms) => {
    const { orders, clock, published, counted } = setup({ socket: yes });
    const notAfter = orders.now() + 15_000;
    clock.time += ms;
    orders.publish(order(['mqtt', 'websocket']), notAfter);
    orders.publish(order(['websocket'], 2), notAfter);
    orders.forward(order(['websocket']), notAfter);
    expect(published).toEqual([]);
    expect(await counted('withheld')).toBe(3);
  });

  it('does not treat an unreachable broker as an error: the command stays SENT', async () => {
    const { orders, errors, counted, settled } = setup({ mqtt: no });
    orders.publish(order(), 15_000);
    await settled();
    expect([await counted('lost'), errors]).toEqual([1, []]);
  });

  it('logs that publishing failed, without the order', async () => {
    const { orders, errors, counted, settled } = setup({ mqtt: () => Promise.reject(new Error('no')) });
    orders.publish(order(), 15_000);
    await settled();
    expect(await counted('lost')).toBe(1);
    expect(JSON.stringify(errors)).not.toContain('signature');
    expect(errors).toHaveLength(1);
  });

  it('tells the device that the broker had no subscriber for its order', () => {
    const { orders, notices, heard } = setup();
    orders.publish(order(), 15_000);
    expect(notices).toEqual([]);
    heard.byBroker = false;
    orders.publish(order(), 15_000);
    expect(notices).toEqual([['not_subscribed', 'v1/devices/device-1/commands', expect.any(String)]]);
  });

  it.each<[string, readonly LinkKind[], { mqtt: Answer; socket?: Answer }, unknown[]]>([
    ['the best one alone', ['mqtt', 'websocket'], { mqtt: yes, socket: yes }, [overMqtt]],
    ['the other one when that fails', ['mqtt', 'websocket'], { mqtt: no, socket: yes }, [overMqtt, overSocket]],
    ['a socket first, where that is better', ['websocket', 'mqtt'], { mqtt: yes, socket: yes }, [overSocket]],
    ['MQTT when the socket fails', ['websocket', 'mqtt'], { mqtt: yes, socket: no }, [overSocket, overMqtt]],
    ['a socket elsewhere by a hint without the order', ['websocket', 'mqtt'], { mqtt: yes }, [hint]],
    ['a socket elsewhere when MQTT fails', ['mqtt', 'websocket'], { mqtt: no }, [overMqtt, hint]],
  ])('takes of two links %s', async (_which, links, answers, expected) => {
    const { orders, published, settled } = setup(answers);
    orders.publish(order(links), 15_000);
    await settled();
    expect(published).toEqual(expected);
  });

  it('takes the next link when the broker has no subscriber, and none past the deadline', async () => {
    const unheard = setup({ socket: yes });
    unheard.heard.byBroker = false;
    unheard.orders.publish(order(['mqtt', 'websocket']), 15_000);
    await unheard.settled();
    expect(unheard.published).toEqual([overMqtt, overSocket]);

    const late = setup({
      mqtt: () => {
        late.clock.time = 15_000;
        return Promise.resolve(false);
      },
      socket: yes,
    });
    late.orders.publish(order(['mqtt', 'websocket']), 15_000);
    await late.settled();
    expect(late.published).toEqual([overMqtt]);
  });

  it('sends a further attempt over every link, and forwards each attempt once', async () => {
    const { orders, published, settled } = setup({ socket: yes });
    orders.publish(order(['mqtt', 'websocket'], 2), 15_000);
    await settled();
    orders.forward(order(['mqtt', 'websocket'], 2), 15_000);
    await settled();
    expect(published).toEqual([overMqtt, overSocket]);
    orders.forward(order(['mqtt', 'websocket'], 3), 15_000);
    expect(published).toHaveLength(3);
  });

  it('forwards nothing to a socket that another process has', () => {
    const { orders, published } = setup();
    orders.forward(order(['websocket']), 15_000);
    expect(published).toEqual([]);
  });
});
