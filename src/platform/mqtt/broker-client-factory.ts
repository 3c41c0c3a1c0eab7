import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { AppConfig } from '../../config/app-config.js';
import { randomToken } from '../crypto/digest.js';
import { EvictionRegistry } from './line/eviction-registry.js';

const CONNECT_TIMEOUT_MS = 5_000;
/**
 * How often a client says that it is there. So an event loop that is busy for as long as the keep-alive is not taken for one
 * that stands still, neither by the broker nor by mqtt.js.
 */
const PINGS_PER_KEEPALIVE = 5;
/** The embedded broker stands still together with its clients here. */
const EMBEDDED_KEEPALIVE_S = 60;

/** The account of this backend at its own broker: made at every start, known to this process alone. */
export interface InternalAccount {
  readonly username: string;
  readonly password: string;
}

/** Where the broker is, and how this backend gets in. */
@Injectable()
export class BrokerClientFactory {
  readonly internal: InternalAccount = { username: `backend-${randomUUID()}`, password: randomToken() };
  readonly external: boolean;
  readonly #url: Promise<string>;
  #announce: (url: string) => void = () => undefined;
  #findSubscriber: (deviceId: string, topic: string) => boolean | undefined = () => undefined;

  constructor(
    private readonly config: AppConfig,
    private readonly evictions: EvictionRegistry,
  ) {
    const { brokerUrl } = config.mqtt;
    this.external = brokerUrl !== null;
    this.#url =
      brokerUrl === null
        ? new Promise((resolve) => {
            this.#announce = resolve;
          })
        : Promise.resolve(brokerUrl);
  }

  /** The embedded broker listens, and says where, and which of its clients has subscribed to what. */
  announce(url: string, findSubscriber: (deviceId: string, topic: string) => boolean): void {
    this.#announce(url);
    this.#findSubscriber = findSubscriber;
  }

  /** Whether a device has subscribed to a topic of its own; undefined where an external broker knows and does not say. */
  hasSubscriber(deviceId: string, topic: string): boolean | undefined {
    return this.#findSubscriber(deviceId, topic);
  }

  /**
   * A client of its own, with a clean session. mqtt.js leaves Nagle's algorithm on, which makes a QoS 1 round trip
   * take 44 ms; here it is off from the first packet.
   */
  async connect(purpose: string, options: IClientOptions): Promise<MqttClient> {
    const url = await this.#url;
    const account = this.external ? this.config.mqtt : this.internal;
    const keepaliveS = this.external ? Math.ceil(this.config.mqtt.keepaliveMs / 1_000) : EMBEDDED_KEEPALIVE_S;
    const client = connect(url, {
      clientId: `mortise-${purpose}-${randomUUID()}`,
      username: account.username,
      password: account.password,
      // The embedded broker speaks 3.1.1; shared subscriptions are part of 5.
      protocolVersion: this.external ? 5 : 4,
      clean: true,
      keepalive: keepaliveS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      ...options,
    });
    this.evictions.watch(purpose, client);
    let pings: NodeJS.Timeout | undefined;
    client.on('connect', () => {
      disableNagle(client.stream);
      clearInterval(pings);
      pings = setInterval(
        () => {
          if (client.connected) {
            client.sendPing();
          }
        },
        (keepaliveS * 1_000) / PINGS_PER_KEEPALIVE,
      ).unref();
    });
    client.on('close', () => {
      clearInterval(pings);
    });
    return client;
  }
}

function disableNagle(stream: unknown): void {
  (stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
}
