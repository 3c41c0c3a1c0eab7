import { randomUUID } from 'node:crypto';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import {
  type AckMessage,
  type DeviceMessages,
  deviceTopic,
  DOWNLINK_CHANNELS,
  type DownlinkChannel,
  type ReceiptMessage,
  type StatusMessage,
  type UplinkChannel,
} from '../../src/contracts/mqtt.js';
import type { Order, SignedOrder } from '../../src/contracts/orders.js';
import { uptimeMs } from './device-uptime.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { eventually } from './wait.js';

/** Return codes of CONNACK, by MQTT 3.1.1. */
export const BAD_CREDENTIALS = 4;
export const NOT_AUTHORIZED = 5;

export interface DeviceMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
}

/** A device whose messages the test scripts: one connection, no reconnects, any bytes on any topic. */
export class ScriptedDevice {
  readonly received: DeviceMessage[] = [];

  private constructor(
    readonly id: string,
    readonly client: MqttClient,
    /** The boot id of its births and reports. */
    readonly boot: string,
  ) {
    client.on('message', (topic, payload, packet) => {
      this.received.push({ topic, payload: payload.toString(), retained: packet.retain });
    });
    client.on('error', () => undefined);
  }

  /** Does not subscribe. Rejects when the broker refuses it; the error's `code` is the return code of CONNACK. */
  static async connect(
    url: string,
    { id, token }: RegisteredDevice,
    options: IClientOptions = {},
    boot: string = randomUUID(),
  ): Promise<ScriptedDevice> {
    const client = connect(url, {
      username: id,
      password: token,
      clientId: id,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
      ...options,
    });
    const device = new ScriptedDevice(id, client, boot);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => {
        resolve();
      });
      client.once('error', reject);
      client.once('close', () => {
        reject(new Error('The broker closed the connection.'));
      });
    });
    return device;
  }

  /** What the login with these credentials meets: the code of CONNACK. A busy machine may need another look at it. */
  static async loginCode(url: string, device: RegisteredDevice, options: IClientOptions): Promise<number> {
    const { code } = await eventually('a verdict on a login', async () => {
      const [outcome] = await Promise.allSettled([
        ScriptedDevice.connect(url, device, { clientId: randomUUID(), ...options }),
      ]);
      if (outcome.status === 'fulfilled') {
        await outcome.value.end();
        return { code: 0 };
      }
      const { code } = outcome.reason as { code?: number };
      return code === BAD_CREDENTIALS || code === NOT_AUTHORIZED ? { code } : null;
    });
    return code;
  }

  /** A device as docs/protocol.md wants it: with a last will, subscribed, with a retained birth. */
  static async born(
    url: string,
    device: RegisteredDevice,
    boot: string,
    options: IClientOptions = {},
    uptimeMs = 1_000,
  ): Promise<ScriptedDevice> {
    const will = {
      topic: deviceTopic(device.id, 'status'),
      payload: Buffer.from(JSON.stringify({ online: false, boot })),
      qos: 1,
      retain: true,
    } as const;
    const scripted = await ScriptedDevice.connect(url, device, { will, ...options }, boot);
    await scripted.listen();
    await scripted.publish('status', { online: true, boot, uptimeMs, lockState: 'locked' }, { retain: true });
    return scripted;
  }

  async listen(channels: readonly DownlinkChannel[] = DOWNLINK_CHANNELS): Promise<void> {
    await this.client.subscribeAsync(
      channels.map((channel) => deviceTopic(this.id, channel)),
      { qos: 1 },
    );
  }

  async publish<C extends UplinkChannel>(
    channel: C,
    message: DeviceMessages[C],
    options: { retain?: boolean } = {},
  ): Promise<void> {
    await this.client.publishAsync(deviceTopic(this.id, channel), JSON.stringify(message), { qos: 1, ...options });
  }

  /** A birth that is not retained. */
  birth(facts: Partial<Extract<StatusMessage, { online: true }>> = {}): Promise<void> {
    return this.publish('status', { online: true, boot: this.boot, uptimeMs: 60_000, ...facts });
  }

  /** A heartbeat that says no more than that. */
  beat(): Promise<void> {
    return this.publish('heartbeat', { boot: this.boot, uptimeMs: uptimeMs() });
  }

  ack(message: AckMessage): Promise<void> {
    return this.publish('acks', message);
  }

  /** Reports a `door_status_changed`, well-formed or not. @param oldest that no receipt covers, if it says so */
  report(seq: number, data: Record<string, unknown>, oldest?: number): Promise<void> {
    const event = { seq, boot: this.boot, oldest, type: 'door_status_changed', data };
    return this.publishRaw(deviceTopic(this.id, 'events'), JSON.stringify(event));
  }

  /** Any bytes to any topic. */
  async publishRaw(
    topic: string,
    payload: string | Buffer,
    options: { retain?: boolean; qos?: 0 | 1 } = {},
  ): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos: 1, ...options });
  }

  get signedOrders(): SignedOrder[] {
    return this.messagesOn('commands').map((payload) => JSON.parse(payload) as SignedOrder);
  }

  get orders(): Order[] {
    return this.signedOrders.map(({ order }) => JSON.parse(order) as Order);
  }

  /** Waits for the `count`th order and returns it. */
  waitForOrder(count = 1): Promise<Order> {
    return eventually(`order ${String(count)} at the device`, () => this.orders[count - 1]);
  }

  receipts(): ReceiptMessage[] {
    return this.messagesOn('receipts').map((payload) => JSON.parse(payload) as ReceiptMessage);
  }

  async receipt(boot: string, seq: number): Promise<void> {
    await eventually(`a receipt for ${String(seq)}`, () =>
      this.receipts().some((one) => one.boot === boot && one.seq === seq),
    );
  }

  closed(): Promise<true> {
    return eventually('the connection is closed', () => !this.client.connected);
  }

  /** Drops the connection without a goodbye: the broker publishes the last will. */
  cut(): void {
    this.client.stream.destroy();
  }

  async end(): Promise<void> {
    await this.client.endAsync(true);
  }

  private messagesOn(channel: DownlinkChannel): string[] {
    return this.received.filter(({ topic }) => topic === deviceTopic(this.id, channel)).map(({ payload }) => payload);
  }
}
