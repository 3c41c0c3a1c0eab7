import type { MqttClient } from 'mqtt';
import { within } from '../../../shared/deadline.js';
import { reconnectDelayMs } from '../reconnect-delay.js';
import { inBackground } from '../../process/faults.js';

const ANSWERED_WITHIN_MS = 10_000;

/** A subscription that the broker did not grant, and why. */
export interface RefusedSubscription {
  readonly topic: string;
  readonly reason: string;
}

/** The subscriptions of one client: made anew on every connection, and tried again while the broker refuses them. */
export class SubscriptionRegistry {
  readonly #granted = new Set<string>();
  readonly #refused = new Map<string, string>();
  #client: MqttClient | undefined;
  /** Ends with the connection: answers to what was asked on an earlier one do not count. */
  #connection = 0;
  #attempt = 0;
  #retry: NodeJS.Timeout | undefined;

  /** @param onRefused called when the broker refuses a topic, for a reason that it did not give before */
  constructor(
    private readonly topics: () => readonly string[],
    private readonly onRefused: (refused: RefusedSubscription) => void,
  ) {}

  /** Whether the broker has granted everything on this connection. */
  get complete(): boolean {
    return this.topics().every((topic) => this.#granted.has(topic));
  }

  get refused(): readonly RefusedSubscription[] {
    return [...this.#refused].map(([topic, reason]) => ({ topic, reason }));
  }

  /** A new connection, which knows of no subscription. Resolves when the broker has answered each. */
  connected(client: MqttClient): Promise<void> {
    this.disconnected();
    this.#client = client;
    return this.subscribe(this.topics());
  }

  disconnected(): void {
    clearTimeout(this.#retry);
    this.#client = undefined;
    this.#connection += 1;
    this.#granted.clear();
  }

  /** Asks for everything again: a broker may have forgotten it, or does not keep to it. */
  renew(): void {
    inBackground(() => this.subscribe(this.topics()));
  }

  private async subscribe(topics: readonly string[]): Promise<void> {
    const connection = this.#connection;
    const failed = (await Promise.all(topics.map((topic) => this.ask(topic, connection)))).includes(false);
    if (connection !== this.#connection) {
      return;
    }
    clearTimeout(this.#retry);
    if (failed) {
      this.#retry = setTimeout(() => {
        inBackground(() => this.subscribe(topics.filter((topic) => !this.#granted.has(topic))));
      }, reconnectDelayMs(this.#attempt++)).unref();
    } else {
      this.#attempt = 0;
    }
  }

  /** @returns whether the broker granted it. */
  private async ask(topic: string, connection: number): Promise<boolean> {
    const client = this.#client;
    let reason: string | null = null;
    try {
      await within(ANSWERED_WITHIN_MS, client?.subscribeAsync(topic, { qos: 1 }) ?? Promise.reject(new Error('away')));
    } catch (error) {
      reason = reasonOf(error);
    }
    if (connection === this.#connection) {
      this.note(topic, reason);
    }
    return reason === null;
  }

  private note(topic: string, reason: string | null): void {
    if (reason === null) {
      this.#granted.add(topic);
      this.#refused.delete(topic);
      return;
    }
    const isNews = this.#refused.get(topic) !== reason;
    this.#granted.delete(topic);
    this.#refused.set(topic, reason);
    if (isNews) {
      this.onRefused({ topic, reason });
    }
  }
}

/** What the broker gave for a reason: its text, and its reason code (MQTT 5, 2.4) where there is one. */
export function reasonOf(error: unknown): string {
  const { message, code, packet } = error as Error & { code?: unknown; packet?: { granted?: readonly number[] } };
  const reason = typeof code === 'number' ? code : packet?.granted?.find((granted) => granted >= 0x80);
  return reason === undefined ? message : `${message} (0x${reason.toString(16)})`;
}
