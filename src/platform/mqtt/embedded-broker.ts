import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Aedes, type Client } from 'aedes';
import { AppConfig } from '../../config/app-config.js';
import { MAX_MQTT_PAYLOAD_BYTES } from '../../contracts/mqtt.js';
import { type PeerKeyReader, peerKeyReader } from '../http/client-address.js';
import { SignalBus } from '../redis/signal-bus.js';
import { BrokerClientFactory } from './broker-client-factory.js';
import { BrokerAuthorizer } from './broker-authorizer.js';
import { BrokerLock } from './broker-lock.js';
import { isLineLoss } from './line-loss.js';
import { CutoffRegistry } from './limits/cutoff-registry.js';
import { LineLimiter } from './limits/line-limiter.js';
import { ReadRateLimiter } from './limits/read-rate-limiter.js';
import { RejectedMessages } from './rejected-messages.js';
import { inBackground } from '../process/faults.js';

const MAX_CONNECTIONS = 20_000;
/** Return code of SUBACK (MQTT 3.1.1, 3.9.3). */
const REFUSED_SUBSCRIPTION: ReadonlySet<number> = new Set([0x80]);
const CONNECT_TIMEOUT_MS = 10_000;
/** A reader that takes nothing for so long is cut, because every client behind it waits. */
const DRAIN_TIMEOUT_MS = 20_000;
/** Unfinished QoS 2 handshakes of one device, each holding a payload in memory. */
const MAX_QOS2_IN_FLIGHT = 20;
/** `v1/devices/{id}/{channel}`, and `$SYS/{id}/new/clients`. */
const MAX_TOPIC_LEVELS = 8;
/** Room for the topic and headers beside the payload. */
const MAX_PACKET_BYTES = MAX_MQTT_PAYLOAD_BYTES + 1_024;
/** A revoked device is gone within two seconds, whether the signal of its revocation arrives or not. */
const RECHECK_EVERY_MS = 1_000;
/** Beyond what BrokerAuthorizer leaves unread, so that no write waits for a device. Before Node 22 the default was 16 KiB. */
const HIGH_WATER_MARK = 65_536;

/**
 * The MQTT broker inside this process, for installations with one hardware process: MQTT 3.1.1, no persistent
 * sessions, nothing stored but the last status of each device. What devices may do in it is decided by BrokerAuthorizer.
 */
@Injectable()
export class EmbeddedBroker implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #peerKeyOf: PeerKeyReader;
  #aedes: Aedes | undefined;
  #server: Server | undefined;
  #recheck: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly config: AppConfig,
    private readonly access: BrokerClientFactory,
    private readonly authorizer: BrokerAuthorizer,
    private readonly lock: BrokerLock,
    private readonly refusals: RejectedMessages,
    private readonly signals: SignalBus,
    private readonly line: LineLimiter,
    private readonly cutoffs: CutoffRegistry,
  ) {
    this.#peerKeyOf = peerKeyReader(config.http);
  }

  /** @throws SecondBrokerError when another process runs one for this database. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.access.external) {
      return;
    }
    await this.lock.acquire();
    this.#aedes = await this.createBroker();
    await this.openPort(this.#aedes);
    this.#unsubscribe = this.signals.on('device_revoked', ({ deviceId }) => {
      this.kick(deviceId);
    });
    this.cutoffs.onCut(({ deviceId }) => {
      this.cut(deviceId);
    });
    this.#recheck = setInterval(() => {
      inBackground(() => this.kickEnded());
    }, RECHECK_EVERY_MS).unref();
  }

  /** The port it listens on; differs from the configured one where that is 0. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Devices may log in from now on: before, no handler would receive their first messages. */
  admitDevices(): void {
    this.authorizer.open();
  }

  /** Ends every connection of a device, without its last will, and forgets its status. */
  kick(deviceId: string): void {
    this.authorizer.end(deviceId, this.authorizer.connections.of(deviceId));
    this.forgetStatus(deviceId);
  }

  private forgetStatus(deviceId: string): void {
    this.#aedes?.publish(
      { cmd: 'publish', topic: `v1/devices/${deviceId}/status`, payload: '', qos: 0, retain: true, dup: false },
      () => undefined,
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    clearInterval(this.#recheck);
    this.#unsubscribe?.();
    const [server, aedes] = [this.#server, this.#aedes];
    this.#server = undefined;
    this.#aedes = undefined;
    server?.close();
    await new Promise<void>((resolve) => {
      if (aedes) {
        aedes.close(resolve);
      } else {
        resolve();
      }
    });
    this.lock.release();
  }

  /** Ends every connection of a device. Its last will is refused like all that it sends: presence knows of the cut. */
  private cut(deviceId: string): void {
    for (const client of this.authorizer.connections.of(deviceId)) {
      client.close();
    }
  }

  private async createBroker(): Promise<Aedes> {
    const aedes = await Aedes.createBroker({
      connectTimeout: CONNECT_TIMEOUT_MS,
      drainTimeout: DRAIN_TIMEOUT_MS,
      maxInflightInbound: MAX_QOS2_IN_FLIGHT,
      maxTopicLevels: MAX_TOPIC_LEVELS,
      // MQTT 3.1 allowed 23 characters; ours hold a device id.
      maxClientsIdLength: 128,
      // Nothing is gained by a limit here: beyond it messages wait in a queue without one. What slows a publisher
      // down is that its socket is not read before its last batch has been delivered.
      concurrency: 0,
      ...this.authorizer.hooks(),
    });
    const refuse = (client: Client, error: Error): void => {
      const isLost = isLineLoss(error);
      this.refusals.operation('packet', isLost ? 'line_lost' : 'protocol_error', {
        deviceId: this.authorizer.connections.deviceOf(client),
        // A device is not told of what is no fault of its own, nor cut for it.
        proven: !isLost && this.authorizer.connections.provenDeviceOf(client) !== undefined,
        reason: error.message,
      });
    };
    const { connections } = this.authorizer;
    aedes.on('subscribe', (subscriptions, client) => {
      const granted = subscriptions.filter(({ qos }) => !REFUSED_SUBSCRIPTION.has(qos));
      connections.subscribed(
        client,
        granted.map(({ topic }) => topic),
      );
    });
    aedes.on('unsubscribe', (topics, client) => {
      connections.unsubscribed(client, topics);
    });
    aedes.on('connectionError', refuse);
    aedes.on('clientError', refuse);
    // A failed store of a retained status; without a listener it would end the process.
    (aedes as NodeJS.EventEmitter).on('error', (error: Error) => {
      this.refusals.operation('packet', 'broker_error', { reason: error.message });
    });
    return aedes;
  }

  private async openPort(aedes: Aedes): Promise<void> {
    const { host, port } = this.config.mqtt;
    const server = createServer({ noDelay: true, keepAlive: true, highWaterMark: HIGH_WATER_MARK }, (socket) => {
      this.authorizer.accept(socket);
      this.limitReading(socket, aedes.handle(socket));
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          error.code === 'EADDRINUSE'
            ? new Error(`Port ${String(port)} on ${host} is in use. Stop what uses it, or set MQTT_PORT.`, {
                cause: error,
              })
            : error,
        );
      });
      server.listen(port, host, resolve);
    });
    server.removeAllListeners('error').on('error', () => undefined);
    this.#server = server;
    this.access.announce(`mqtt://${host === '0.0.0.0' ? '127.0.0.1' : host}:${String(this.port)}`, (deviceId, topic) =>
      this.authorizer.connections.hasSubscriber(deviceId, topic),
    );
  }

  /** Of a device that has not logged in yet, only the length of its packets is limited here. */
  private limitReading(socket: Socket, client: Client): void {
    const { connections } = this.authorizer;
    const address = this.#peerKeyOf(socket);
    new ReadRateLimiter(socket, {
      maxPacketBytes: MAX_PACKET_BYTES,
      pace: (packets, bytes) => {
        const deviceId = connections.provenDeviceOf(client);
        return deviceId === undefined ? 0 : this.line.pace(deviceId, address, packets, bytes);
      },
      onOversized: () => {
        this.refusals.operation('packet', 'packet_too_large', {
          deviceId: connections.provenDeviceOf(client),
          proven: true,
        });
      },
    });
  }

  /**
   * The signal that a device was revoked may be lost, and none tells that a token has expired; the database knows both. A
   * device that has logged in anew meanwhile, with a valid token, stays.
   */
  private async kickEnded(): Promise<void> {
    const { connections } = this.authorizer;
    for (const { deviceId, client } of await this.authorizer.listEnded()) {
      this.authorizer.end(deviceId, [client]);
      if (connections.of(deviceId).every((other) => connections.isRevoked(other))) {
        this.forgetStatus(deviceId);
      }
    }
  }
}
