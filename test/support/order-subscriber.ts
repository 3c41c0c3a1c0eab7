import { connectAsync, type MqttClient } from 'mqtt';
import { type Order, type SignedOrder } from '../../src/contracts/orders.js';
import { canaryTopic } from '../../src/platform/mqtt/line/canary-channels.js';
import { eventually } from './wait.js';

export interface ObservedOrder {
  readonly order: Order;
  readonly bytes: string;
  readonly retained: boolean;
  /** In ms since the epoch. Of a subscriber when it was received: the broker had it no later. Of a sniffer: it had it no earlier. */
  readonly at: number;
}

/** Receives every order that a broker delivers. What the canary publishes there is none. */
export class OrderSubscriber {
  readonly seen: ObservedOrder[] = [];
  #subscriptions = 0;

  private constructor(private readonly client: MqttClient) {
    client.on('message', (topic, payload, { retain }) => {
      if (topic === canaryTopic('commands')) {
        return;
      }
      const { order } = JSON.parse(payload.toString()) as SignedOrder;
      this.seen.push({
        order: JSON.parse(order) as Order,
        bytes: payload.toString(),
        retained: retain,
        at: Date.now(),
      });
    });
    client.on('connect', () => void this.subscribe());
  }

  static async on(url: string, account: { username: string; password: string }): Promise<OrderSubscriber> {
    const client = await connectAsync(url, { ...account, keepalive: 100, reconnectPeriod: 50, connectTimeout: 2_000 });
    const spy = new OrderSubscriber(client);
    await spy.subscribe();
    return spy;
  }

  /** Waits until it has subscribed more than `earlier` times. */
  async listens(earlier: number): Promise<void> {
    await eventually('the spy listens again', () => this.#subscriptions > earlier);
  }

  get subscriptions(): number {
    return this.#subscriptions;
  }

  of(commandId: string): ObservedOrder[] {
    return this.seen.filter(({ order }) => order.commandId === commandId);
  }

  close(): Promise<void> {
    return this.client.endAsync(true);
  }

  private async subscribe(): Promise<void> {
    const granted = await this.client.subscribeAsync('v1/devices/+/commands', { qos: 1 });
    if (granted.some(({ qos }) => qos >= 128)) {
      throw new Error('The spy may not listen.');
    }
    this.#subscriptions += 1;
  }
}
