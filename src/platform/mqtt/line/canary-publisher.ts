import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { MqttClient } from 'mqtt';
import { PinoLogger } from 'nestjs-pino';
import type { DeviceChannel, UplinkChannel } from '../../../contracts/mqtt.js';
import { Clock } from '../../../shared/clock.js';
import { type Histogram, Metrics } from '../../metrics/metrics.js';
import { BrokerClientFactory } from '../broker-client-factory.js';
import { reconnectDelayMs } from '../reconnect-delay.js';
import { CANARY_TURN, canaryTopic, isUplink } from './canary-channels.js';
import { HearingRegistry } from './hearing-registry.js';
import { reasonOf, type RefusedSubscription } from './subscription-registry.js';
import { inBackground } from '../../process/faults.js';

const PUBLISH_EVERY_MS = 500;
const MAX_UNANSWERED = 20;
/** Some brokers end the connection of a client that publishes what it may not. So does a broker that goes down, but once. */
const REFUSED_AFTER_CLOSURES = 3;
const AWAY_AFTER_MS = 15_000;
/** Ours are shorter. */
const MAX_CANARY_BYTES = 200;

/**
 * Publishes, as a device that does not exist, on every channel of the device line, so that a line on which nothing is heard is
 * told from one on which there is nothing to hear. One of the hardware processes hears each canary, over the same shared
 * subscription and access list as any message of a device. On a connection of its own: a broker that ends it for a missing
 * right ends no other.
 */
@Injectable()
export class CanaryPublisher implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #process = randomUUID();
  readonly #roundTrip: Histogram;
  readonly #refused = new Map<DeviceChannel, string>();
  readonly #closures = new Map<DeviceChannel, number>();
  readonly #unanswered: DeviceChannel[] = [];
  #client: MqttClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;
  /** When the broker last answered, or the line was last connected: on the monotonic clock. */
  #answeredAt: number;
  #stopped = false;

  constructor(
    private readonly access: BrokerClientFactory,
    private readonly hearing: HearingRegistry,
    private readonly clock: Clock,
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(CanaryPublisher.name);
    this.#answeredAt = clock.monotonic();
    this.#roundTrip = metrics.latency(
      'mortise_mqtt_canary_seconds',
      'From publishing a message to the broker to hearing it from there, where this process heard its own',
    );
  }

  onApplicationBootstrap(): void {
    inBackground(() => this.connect());
  }

  onApplicationShutdown(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#client?.end(true);
  }

  /** What the broker does not let us publish, and why. */
  get refused(): readonly RefusedSubscription[] {
    return [...this.#refused].map(([channel, reason]) => ({ topic: canaryTopic(channel), reason }));
  }

  /** Whether its connection has been missing for longer than a reconnect takes, or ends each time before it carries anything. */
  get isAway(): boolean {
    return this.#client?.connected !== true && this.clock.monotonic() - this.#answeredAt > AWAY_AFTER_MS;
  }

  /** The line has a new connection: on it nothing is heard that was published before. Ours is due from now on. */
  restart(): void {
    this.#answeredAt = this.clock.monotonic();
    this.hearing.restart();
  }

  /** A canary was heard here: one of this process, or of another one. */
  heard(channel: UplinkChannel, payload: Buffer | string): void {
    this.hearing.heard(channel);
    const sentAt = payload.length <= MAX_CANARY_BYTES ? this.sentAt(payload.toString()) : undefined;
    if (sentAt !== undefined && Number.isFinite(sentAt)) {
      this.#roundTrip.observe(Math.max(0, this.clock.monotonic() - sentAt) / 1_000);
    }
  }

  private sentAt(text: string): number | undefined {
    const [process, sentAt] = text.split(' ');
    return process === this.#process ? Number(sentAt) : undefined;
  }

  private async connect(): Promise<void> {
    const client = await this.access.connect('canary', {
      reconnectPeriod: reconnectDelayMs(0),
      reconnectOnConnackError: true,
      resubscribe: false,
    });
    if (this.#stopped) {
      client.end(true);
      return;
    }
    this.#client = client;
    let attempt = 0;
    client.on('connect', () => {
      attempt = 0;
    });
    // Also after each attempt to connect that failed.
    client.on('close', () => {
      if (attempt === 0) {
        this.closed();
      }
      client.options.reconnectPeriod = reconnectDelayMs(attempt++);
    });
    // The clients of the line and of orders say in the log that the broker is away.
    client.on('error', () => undefined);
    this.#timer = setInterval(() => {
      this.publish(client);
    }, PUBLISH_EVERY_MS).unref();
  }

  private publish(client: MqttClient): void {
    if (!client.connected || this.#unanswered.length >= MAX_UNANSWERED) {
      return;
    }
    const channel = CANARY_TURN[this.#turn++ % CANARY_TURN.length] ?? 'status';
    const payload = `${this.#process} ${String(this.clock.monotonic())}`;
    this.#unanswered.push(channel);
    client.publish(canaryTopic(channel), payload, { qos: 1, retain: false }, (error) => {
      this.#unanswered.splice(this.#unanswered.indexOf(channel), 1);
      if (!error) {
        this.#answeredAt = this.clock.monotonic();
        this.taken(channel);
      } else if (client.connected) {
        this.#answeredAt = this.clock.monotonic();
        this.refuse(channel, reasonOf(error));
      }
    });
  }

  private taken(channel: DeviceChannel): void {
    this.#refused.delete(channel);
    this.#closures.delete(channel);
    if (isUplink(channel)) {
      this.hearing.published(channel);
    }
  }

  private refuse(channel: DeviceChannel, reason: string): void {
    if (this.#refused.get(channel) !== reason) {
      this.#refused.set(channel, reason);
      this.logger.error({ topic: canaryTopic(channel), reason }, 'The broker does not let this account publish');
    }
  }

  private closed(): void {
    const last = this.#unanswered[0];
    if (last !== undefined) {
      const closures = (this.#closures.get(last) ?? 0) + 1;
      this.#closures.set(last, closures);
      if (closures >= REFUSED_AFTER_CLOSURES) {
        this.refuse(last, 'the broker ends the connection');
      }
    }
  }
}
