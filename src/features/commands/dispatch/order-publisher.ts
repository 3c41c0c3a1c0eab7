import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { LRUCache } from 'lru-cache';
import { type LinkKind } from '../../../contracts/devices.js';
import { deviceTopic } from '../../../contracts/mqtt.js';
import { LimitedLogger } from '../../../platform/logging/limited-logger.js';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { DevicePublisher } from '../../../platform/mqtt/device-publisher.js';
import { RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import { inBackground } from '../../../platform/process/faults.js';
import { DeviceSocketPublisher } from '../../../platform/realtime/devices/device-socket-publisher.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { Clock } from '../../../shared/clock.js';
import { type Transmission } from './dispatch.rows.js';

const NOT_SUBSCRIBED = 'An order was published, and no connection of the device had subscribed to this topic.';
const MAX_REMEMBERED = 10_000;

/** What became of an order on one link. `elsewhere`: another process has the socket, and sends it. */
type Outcome = 'acknowledged' | 'lost' | 'withheld' | 'elsewhere';

/**
 * Publishes orders, unless their deadline has passed. The first attempt goes over the best link, and over the next one when
 * that fails; a further one goes over all of them. The bytes are the same everywhere: a lock that gets an order twice answers
 * the second from memory.
 */
@Injectable()
export class OrderPublisher {
  readonly #orders: Counter<'outcome'>;
  readonly #log: LimitedLogger;
  /** The last attempt of each command that went over a socket of this process. */
  readonly #emitted = new LRUCache<string, number>({ max: MAX_REMEMBERED });

  constructor(
    private readonly publisher: DevicePublisher,
    private readonly sockets: DeviceSocketPublisher,
    private readonly signals: SignalBus,
    private readonly clock: Clock,
    private readonly refusals: RejectedMessages,
    logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(OrderPublisher.name);
    this.#log = new LimitedLogger(logger);
    this.#orders = metrics.counter('mortise_orders_published_total', 'Orders handed to the broker or to a socket', [
      'outcome',
    ]);
  }

  /** The links by which an order may reach a device now. Some process has the socket of each device that has one. */
  usableLinks(): LinkKind[] {
    return this.publisher.isConnected() ? ['mqtt', 'websocket'] : ['websocket'];
  }

  /** Whether this process has the socket of a device. */
  hasSocket(deviceId: string): boolean {
    return this.sockets.has(deviceId);
  }

  /** For {@link publish}: read it before asking the database how much time is left. */
  now(): number {
    return this.clock.monotonic();
  }

  /**
   * Publishes an order unless `notAfter` (on the clock of {@link now}) has passed. The remaining time is the database's
   * answer, counted from *before* the question on a clock that also runs while this process is stopped. So a process
   * that resumes after a minute publishes nothing, and needs no round trip to find out.
   */
  publish(order: Transmission, notAfter: number): void {
    const { links } = order;
    inBackground(() => this.send(order, links.length > 0 ? links : ['mqtt'], notAfter));
  }

  /**
   * The same for an order that another process has recorded as sent, to a device whose socket this process has. An attempt that
   * went over it before does not go again.
   */
  forward(order: Transmission, notAfter: number): void {
    const { id, deviceId, attempts } = order.command;
    if (this.hasSocket(deviceId) && (this.#emitted.get(id) ?? 0) < attempts) {
      const others = order.links.filter((link) => link !== 'websocket');
      inBackground(() => this.sendInTurn(order, ['websocket', ...others], notAfter));
    }
  }

  private async send(order: Transmission, links: readonly LinkKind[], notAfter: number): Promise<void> {
    if (order.command.attempts > 1) {
      await Promise.all(links.map((link) => this.sendOver(link, order, notAfter)));
    } else {
      await this.sendInTurn(order, links, notAfter);
    }
  }

  private async sendInTurn(order: Transmission, links: readonly LinkKind[], notAfter: number): Promise<void> {
    for (const link of links) {
      if (await this.sendOver(link, order, notAfter)) {
        return;
      }
    }
  }

  /** @returns whether no other link needs to be tried */
  private async sendOver(link: LinkKind, order: Transmission, notAfter: number): Promise<boolean> {
    if (this.clock.monotonic() >= notAfter) {
      this.#orders.inc({ outcome: 'withheld' satisfies Outcome });
      return true;
    }
    try {
      const { outcome, isDone } = await (link === 'mqtt' ? this.overMqtt(order) : this.overSocket(order));
      // Not acknowledged: the command stays SENT, and is sent again or times out.
      this.#orders.inc({ outcome });
      return isDone;
    } catch (error) {
      this.#orders.inc({ outcome: 'lost' satisfies Outcome });
      this.#log.error('not_published', { deviceId: order.command.deviceId, err: error }, 'An order was not published');
      return false;
    }
  }

  private async overMqtt({ command, signed }: Transmission): Promise<{ outcome: Outcome; isDone: boolean }> {
    const { deviceId } = command;
    let isHeard = true;
    const acknowledged = await this.publisher.publish(deviceId, 'commands', signed, () => {
      isHeard = false;
      this.refusals.notice('not_subscribed', deviceTopic(deviceId, 'commands'), NOT_SUBSCRIBED);
    });
    return { outcome: acknowledged ? 'acknowledged' : 'lost', isDone: acknowledged && isHeard };
  }

  private async overSocket({ command, signed }: Transmission): Promise<{ outcome: Outcome; isDone: boolean }> {
    const { id: commandId, deviceId, name, attempts } = command;
    if (!this.hasSocket(deviceId)) {
      // Without the order: who can write into Redis could give orders otherwise, and it would come late there.
      this.signals.publish('order_sent', { deviceId, commandId });
      return { outcome: 'elsewhere', isDone: true };
    }
    this.#emitted.set(commandId, attempts);
    const isDone = await this.sockets.publish(deviceId, name, signed);
    return { outcome: isDone ? 'acknowledged' : 'lost', isDone };
  }
}
