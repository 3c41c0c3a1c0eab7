import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { MqttClient } from 'mqtt';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import {
  type DeviceMessages,
  deviceTopic,
  type DownlinkChannel,
  isRetained,
  type RETAINED_CHANNELS,
} from '../../contracts/mqtt.js';
import type { Publication } from './device-acl.js';
import { BrokerClientFactory } from './broker-client-factory.js';
import { reconnectDelayMs } from './reconnect-delay.js';
import { inBackground } from '../process/faults.js';

const ACKNOWLEDGED_WITHIN_MS = 2_000;
const MAX_UNACKNOWLEDGED = 10_000;
/** Reason code of PUBACK: no client has subscribed to that topic (MQTT 5, 3.4.2.1). */
const NO_SUBSCRIBER = 0x10;

type RetainedDownlink = DownlinkChannel & (typeof RETAINED_CHANNELS)[number];

/**
 * Publishes to devices, only while the broker is there. mqtt.js delivers what it had not got through after a
 * reconnect, seconds later; therefore every connection gets a client of its own, and what a lost one still held is
 * lost with it. Its callers know: they were answered `false`.
 */
@Injectable()
export class DevicePublisher implements OnApplicationBootstrap, OnApplicationShutdown {
  #client: MqttClient | undefined;
  /** Of the present connection: when it ends, so do they. */
  readonly #unacknowledged = new Set<(acknowledged: boolean) => void>();
  /** Ids of messages that the broker has just acknowledged without a subscriber for them. */
  readonly #unheard = new Set<number>();
  #attempt = 0;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly config: AppConfig,
    private readonly access: BrokerClientFactory,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(DevicePublisher.name);
  }

  onApplicationBootstrap(): void {
    if (!this.config.roles.includes('hardware')) {
      return;
    }
    inBackground(() => this.connect());
  }

  onApplicationShutdown(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#client?.end(true);
  }

  isConnected(): boolean {
    return this.#client?.connected === true;
  }

  /**
   * Publishes with QoS 1. The broker keeps settings for a device that is away, and nothing else.
   * @param onUnheard called when the broker took it and says that no connection of the device has subscribed to it
   * @returns whether the broker acknowledged it in time. That is not delivery: only the device's own answer is. After
   *   `false` it has not been sent, or its fate is unknown and its connection was cut.
   */
  publish<C extends DownlinkChannel>(
    deviceId: string,
    channel: C,
    message: DeviceMessages[C],
    onUnheard: () => void = () => undefined,
  ): Promise<boolean> {
    const client = this.#client;
    if (client?.connected !== true || this.#unacknowledged.size >= MAX_UNACKNOWLEDGED) {
      return Promise.resolve(false);
    }
    const topic = deviceTopic(deviceId, channel);
    return this.send(client, { topic, payload: JSON.stringify(message), retain: isRetained(channel) }, (isHeard) => {
      if (!(this.access.hasSubscriber(deviceId, topic) ?? isHeard)) {
        onUnheard();
      }
    });
  }

  /** Takes back what the broker keeps for a device. @returns whether the broker acknowledged it in time */
  retract(deviceId: string, channel: RetainedDownlink): Promise<boolean> {
    const client = this.#client;
    if (client?.connected !== true || this.#unacknowledged.size >= MAX_UNACKNOWLEDGED) {
      return Promise.resolve(false);
    }
    const nothing = { topic: deviceTopic(deviceId, channel), payload: '', retain: true };
    return this.send(client, nothing, () => undefined);
  }

  private async connect(): Promise<void> {
    const client = await this.access.connect('orders', { reconnectPeriod: 0, resubscribe: false, queueQoSZero: false });
    if (this.#stopped) {
      client.end(true);
      return;
    }
    client.on('connect', () => {
      this.#attempt = 0;
    });
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'puback' && packet.reasonCode === NO_SUBSCRIBER && packet.messageId !== undefined) {
        this.#unheard.add(packet.messageId);
      }
    });
    client.on('error', (error) => {
      this.logger.warn({ err: error, attempt: this.#attempt }, 'The broker is unreachable; trying again');
    });
    client.once('close', () => {
      client.end(true);
      this.#unheard.clear();
      this.#unacknowledged.forEach((settle) => {
        settle(false);
      });
      if (!this.#stopped) {
        this.#retry = setTimeout(() => {
          inBackground(() => this.connect());
        }, reconnectDelayMs(this.#attempt++));
      }
    });
    this.#client = client;
  }

  /** @param onAcknowledged called when the broker has it, with whether the broker says that it has a subscriber for it */
  private send(
    client: MqttClient,
    { topic, payload, retain }: Publication & { readonly payload: string },
    onAcknowledged: (isHeard: boolean) => void,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (acknowledged: boolean): void => {
        clearTimeout(timer);
        this.#unacknowledged.delete(settle);
        resolve(acknowledged);
      };
      // A broker that does not answer must not find this in its socket when it wakes up.
      const timer = setTimeout(() => {
        cut(client);
        settle(false);
      }, ACKNOWLEDGED_WITHIN_MS);
      this.#unacknowledged.add(settle);
      client.publish(topic, payload, { qos: 1, retain }, (error, packet) => {
        const isUnheard = this.#unheard.delete(packet?.messageId ?? -1);
        if (!error) {
          onAcknowledged(!isUnheard);
        }
        settle(!error);
      });
    });
  }
}

/** With a reset, which also discards what our side of the socket still holds. */
function cut(client: MqttClient): void {
  const stream = client.stream as unknown as { resetAndDestroy?: () => void; destroy: () => void };
  if (stream.resetAndDestroy) {
    stream.resetAndDestroy();
  } else {
    stream.destroy();
  }
}
