import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { deviceTopic } from '../../../contracts/mqtt.js';
import { type SignedOrder } from '../../../contracts/orders.js';
import { LimitedLogger } from '../../../platform/logging/limited-logger.js';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { DevicePublisher } from '../../../platform/mqtt/device-publisher.js';
import { RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import { Clock } from '../../../shared/clock.js';

const NOT_SUBSCRIBED = 'An order was published, and no connection of the device had subscribed to this topic.';

/** Publishes orders, unless their deadline has passed. */
@Injectable()
export class OrderPublisher {
  readonly #orders: Counter<'outcome'>;
  readonly #log: LimitedLogger;

  constructor(
    private readonly publisher: DevicePublisher,
    private readonly clock: Clock,
    private readonly refusals: RejectedMessages,
    logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(OrderPublisher.name);
    this.#log = new LimitedLogger(logger);
    this.#orders = metrics.counter('mortise_orders_published_total', 'Orders handed to the broker', ['outcome']);
  }

  isConnected(): boolean {
    return this.publisher.isConnected();
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
  publish(deviceId: string, signed: SignedOrder, notAfter: number): void {
    if (this.clock.monotonic() >= notAfter) {
      this.#orders.inc({ outcome: 'withheld' });
      return;
    }
    const onUnheard = (): void => {
      this.refusals.notice('not_subscribed', deviceTopic(deviceId, 'commands'), NOT_SUBSCRIBED);
    };
    this.publisher.publish(deviceId, 'commands', signed, onUnheard).then(
      (acknowledged) => {
        // Not acknowledged: the command stays SENT, and is sent again or times out.
        this.#orders.inc({ outcome: acknowledged ? 'acknowledged' : 'lost' });
      },
      (error: unknown) => {
        this.#orders.inc({ outcome: 'lost' });
        this.#log.error('not_published', { deviceId, err: error }, 'An order could not be published');
      },
    );
  }
}
