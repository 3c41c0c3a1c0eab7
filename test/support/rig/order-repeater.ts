import { connect, type MqttClient } from 'mqtt';
import { canaryTopic } from '../../../src/platform/mqtt/line/canary-channels.js';
import type { BrokerAccount } from '../operated-mosquitto.js';
import { eventually } from '../wait.js';

/** The latest deliveries, which a storm repeats. */
const IN_A_STORM = 2_000;

interface Delivery {
  readonly topic: string;
  readonly payload: Buffer;
}

/**
 * A line that delivers twice: it sends every order that the broker delivers once more, up to `longestDelayMs` later, past
 * its deadline and over the next restart of the broker.
 */
export class OrderRepeater {
  readonly #client: MqttClient;
  readonly #heard = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #latest: Delivery[] = [];
  #listening = false;
  #sent = 0;

  constructor(
    url: string,
    account: BrokerAccount,
    private readonly longestDelayMs: number,
    private readonly random: () => number,
  ) {
    this.#client = connect(url, {
      ...account,
      clean: true,
      keepalive: 100,
      reconnectPeriod: 50,
      connectTimeout: 2_000,
    });
    this.#client.on('error', () => undefined);
    this.#client.on('connect', () => {
      // A subscription that is lost with its connection is made again with the next one.
      this.#client.subscribeAsync('v1/devices/+/commands', { qos: 1 }).then(
        () => (this.#listening = true),
        () => undefined,
      );
    });
    this.#client.on('message', (topic, payload) => {
      if (topic !== canaryTopic('commands')) {
        this.hear({ topic, payload });
      }
    });
  }

  async listens(): Promise<void> {
    await eventually('the repeater listens', () => this.#listening);
  }

  /** How often an order was sent once more, and the broker took it. */
  get sent(): number {
    return this.#sent;
  }

  /** The latest orders once more, all at once. */
  storm(): void {
    this.#latest.forEach((delivery) => {
      this.repeat(delivery);
    });
  }

  async close(): Promise<void> {
    this.#timers.forEach((timer) => {
      clearTimeout(timer);
    });
    await this.#client.endAsync(true);
  }

  private hear(delivery: Delivery): void {
    const signed = delivery.payload.toString('latin1');
    if (this.#heard.has(signed)) {
      // Sent again by the backend, or its own words, which come back to it.
      return;
    }
    this.#heard.add(signed);
    this.#latest.push(delivery);
    if (this.#latest.length > IN_A_STORM) {
      this.#latest.shift();
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.repeat(delivery);
    }, this.random() * this.longestDelayMs);
    this.#timers.add(timer);
  }

  private repeat({ topic, payload }: Delivery): void {
    if (this.#client.connected) {
      this.#client.publish(topic, payload, { qos: 1 }, (error) => {
        this.#sent += error ? 0 : 1;
      });
    }
  }
}
