import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import {
  type DeviceMessages,
  deviceTopic,
  DOWNLINK_CHANNELS,
  type DownlinkChannel,
  type ReceiptMessage,
  type UplinkChannel,
} from '../../src/contracts/mqtt.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { eventually } from './wait.js';

export interface DeviceMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retained: boolean;
}

/** A device by hand: one connection, no reconnects, and whatever bytes the test wants on the wire. */
export class ScriptedDevice {
  readonly received: DeviceMessage[] = [];

  private constructor(
    readonly id: string,
    readonly client: MqttClient,
  ) {
    client.on('message', (topic, payload, packet) => {
      this.received.push({ topic, payload: payload.toString(), retained: packet.retain });
    });
    client.on('error', () => undefined);
  }

  /** Rejects when the broker does not let it in; the error's `code` is the return code of CONNACK. */
  static async connect(
    url: string,
    { id, token }: RegisteredDevice,
    options: IClientOptions = {},
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
    const device = new ScriptedDevice(id, client);
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

  /** A device as the protocol wants it: with a last will, listening, born. */
  static async born(
    url: string,
    device: RegisteredDevice,
    boot: string,
    options: IClientOptions = {},
  ): Promise<ScriptedDevice> {
    const will = {
      topic: deviceTopic(device.id, 'status'),
      payload: Buffer.from(JSON.stringify({ online: false, boot })),
      qos: 1,
      retain: true,
    } as const;
    const raw = await ScriptedDevice.connect(url, device, { will, ...options });
    await raw.listen();
    await raw.publish('status', { online: true, boot, uptimeMs: 1_000, lockState: 'locked' }, { retain: true });
    return raw;
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

  /** Whatever the bytes are. */
  async publishRaw(
    topic: string,
    payload: string | Buffer,
    options: { retain?: boolean; qos?: 0 | 1 } = {},
  ): Promise<void> {
    await this.client.publishAsync(topic, payload, { qos: 1, ...options });
  }

  receipts(): ReceiptMessage[] {
    return this.received
      .filter(({ topic }) => topic === deviceTopic(this.id, 'receipts'))
      .map(({ payload }) => JSON.parse(payload) as ReceiptMessage);
  }

  async receipt(boot: string, seq: number): Promise<void> {
    await eventually(`a receipt for ${String(seq)}`, () =>
      this.receipts().some((one) => one.boot === boot && one.seq === seq),
    );
  }

  closed(): Promise<true> {
    return eventually('the connection is closed', () => !this.client.connected);
  }

  /** Without a word: the broker publishes its last will. */
  cut(): void {
    this.client.stream.destroy();
  }

  async end(): Promise<void> {
    await this.client.endAsync(true);
  }
}
