import { connect, type MqttClient } from 'mqtt';
import {
  deviceTopic,
  DOWNLINK_CHANNELS,
  parseDeviceTopic,
  type DeviceMessages,
  type DownlinkChannel,
  type StatusMessage,
  type UplinkChannel,
} from '../../src/contracts/mqtt.js';

export interface Login {
  url: string;
  deviceId: string;
  username: string;
  password: string;
  /** Seconds of silence after which both sides ask whether the other is still there. */
  keepaliveS?: number;
}

export type MessageHandler = (channel: DownlinkChannel, payload: Uint8Array, retained: boolean) => void;

const CONNECT_TIMEOUT_MS = 10_000;
const OPEN_TIMEOUT_MS = 20_000;
const PUBLISH_TIMEOUT_MS = 10_000;
const GOODBYE_TIMEOUT_MS = 2000;
const QOS: Record<UplinkChannel, 0 | 1> = { status: 1, heartbeat: 0, events: 1, acks: 1 };

/**
 * One connection, from its dialling to its end, and never a second time. mqtt.js would send what it had not got
 * through once more on a reconnect, seconds later; a fresh client has nothing to send again.
 */
export class Connection {
  readonly #client: MqttClient;
  readonly #login: Login;
  readonly #unanswered = new Set<(delivered: boolean) => void>();
  #error: Error | undefined;
  /** Settles when the connection has ended, with what ended it. */
  readonly closed: Promise<Error | undefined>;

  constructor(login: Login, lastWill: StatusMessage, hear: MessageHandler) {
    this.#login = login;
    this.#client = connect(login.url, {
      clientId: login.deviceId,
      username: login.username,
      password: login.password,
      clean: true,
      protocolVersion: 4,
      keepalive: login.keepaliveS ?? 15,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      will: { topic: this.#topic('status'), payload: Buffer.from(JSON.stringify(lastWill)), qos: 1, retain: true },
    });
    this.#client.on('error', (error) => (this.#error ??= error));
    this.#client.on('message', (topic, payload, { retain }) => {
      const channel = DOWNLINK_CHANNELS.find((name) => name === parseDeviceTopic(topic)?.channel);
      if (channel && topic === this.#topic(channel)) {
        hear(channel, payload, retain);
      }
    });
    this.closed = new Promise((resolve) => {
      this.#client.once('close', () => {
        this.#client.end(true);
        this.#unanswered.forEach((answer) => {
          answer(false);
        });
        resolve(this.#error);
      });
    });
  }

  /** Subscribes first and announces the device after, so that no order can fall between the two. */
  async open(birth: () => StatusMessage): Promise<void> {
    const endedEarly = this.closed.then((error) => {
      throw error ?? new Error('the connection closed before the broker had answered');
    });
    const patience = setTimeout(() => {
      this.cut();
    }, OPEN_TIMEOUT_MS);
    await Promise.race([this.#introduce(birth), endedEarly]).finally(() => {
      clearTimeout(patience);
    });
  }

  /** True once the broker has it. Never queued: false when the connection is gone, or ends before the answer. */
  publish<C extends UplinkChannel>(channel: C, message: DeviceMessages[C]): Promise<boolean> {
    if (!this.#client.connected) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const settle = (delivered: boolean): void => {
        clearTimeout(timeout);
        this.#unanswered.delete(settle);
        resolve(delivered);
      };
      const timeout = setTimeout(settle, PUBLISH_TIMEOUT_MS, false);
      this.#unanswered.add(settle);
      const options = { qos: QOS[channel], retain: channel === 'status' };
      this.#client.publish(this.#topic(channel), JSON.stringify(message), options, (error) => {
        settle(!error);
      });
    });
  }

  /** Says goodbye, so that the broker does not publish the will. */
  async leave(goodbye: StatusMessage): Promise<void> {
    const patience = setTimeout(() => {
      this.cut();
    }, GOODBYE_TIMEOUT_MS);
    if (this.#client.connected && (await this.publish('status', goodbye))) {
      await Promise.race([this.#client.endAsync(), this.closed]);
    }
    clearTimeout(patience);
    this.cut();
  }

  /** As if the power failed: no goodbye, and the broker publishes the will. */
  cut(): void {
    this.#client.end(true);
    this.#client.stream.destroy();
  }

  /** Nagle's algorithm would hold each small packet back until the last one is acknowledged: 40 ms a turn. */
  #sendAtOnce(): void {
    const { stream } = this.#client as { stream: { setNoDelay?: (on: boolean) => void } };
    stream.setNoDelay?.(true);
  }

  async #introduce(birth: () => StatusMessage): Promise<void> {
    await new Promise<void>((resolve) =>
      this.#client.once('connect', () => {
        resolve();
      }),
    );
    this.#sendAtOnce();
    const grants = await this.#client.subscribeAsync(
      DOWNLINK_CHANNELS.map((channel) => this.#topic(channel)),
      { qos: 1 },
    );
    if (grants.some(({ qos }) => qos === 128)) {
      throw new Error('the broker refused the subscriptions');
    }
    if (!(await this.publish('status', birth()))) {
      throw new Error('the broker did not take the birth message');
    }
  }

  #topic(channel: keyof DeviceMessages): string {
    return deviceTopic(this.#login.deviceId, channel);
  }
}
