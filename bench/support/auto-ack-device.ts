import { randomUUID } from 'node:crypto';
import { connectAsync, type MqttClient } from 'mqtt';
import type { LockState } from '../../src/contracts/devices.js';
import { type AckMessage, deviceTopic, HEARTBEAT_INTERVAL_MS } from '../../src/contracts/mqtt.js';
import { type Order, type SignedOrder } from '../../src/contracts/orders.js';

/** A device that acknowledges every order as `executed` at once. It checks no signature, because that is not measured. */
export class AutoAckDevice {
  /** Ids of the commands it was given. */
  readonly executed = new Set<string>();
  readonly #boot = randomUUID();
  #heartbeat: NodeJS.Timeout;
  #events = 0;

  private constructor(
    private readonly deviceId: string,
    private readonly client: MqttClient,
  ) {
    client.on('message', (_topic, payload) => {
      this.acknowledge(JSON.parse(payload.toString()) as SignedOrder);
    });
    // The first one at any time of an interval: devices do not start together.
    this.#heartbeat = setTimeout(() => {
      this.beat();
      this.#heartbeat = setInterval(() => {
        this.beat();
      }, HEARTBEAT_INTERVAL_MS);
    }, Math.random() * HEARTBEAT_INTERVAL_MS);
  }

  static async connect(
    mqttUrl: string,
    device: { readonly id: string; readonly token: string },
  ): Promise<AutoAckDevice> {
    const client = await connectAsync(mqttUrl, {
      protocolVersion: 4,
      clientId: device.id,
      username: device.id,
      password: device.token,
      reconnectPeriod: 0,
    });
    // mqtt.js leaves Nagle's algorithm on: a round trip of QoS 1 would take 40 ms more, for all candidates alike.
    (client.stream as unknown as { setNoDelay(on: boolean): void }).setNoDelay(true);
    const lock = new AutoAckDevice(device.id, client);
    await client.subscribeAsync(deviceTopic(device.id, 'commands'), { qos: 1 });
    lock.publish('status', {
      online: true,
      boot: lock.#boot,
      uptimeMs: Math.round(performance.now()),
      lockState: 'locked',
    });
    return lock;
  }

  /** The door was used: it reports the bolt's new state, as an event. */
  report(lockState: LockState): void {
    this.#events += 1;
    const seq = this.#events;
    const uptimeMs = Math.round(performance.now());
    const data = { lockState };
    this.publish('events', { seq, boot: this.#boot, type: 'door_status_changed', uptimeMs, data });
  }

  async disconnect(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.client.endAsync();
  }

  private acknowledge({ order }: SignedOrder): void {
    const { commandId } = JSON.parse(order) as Order;
    this.executed.add(commandId);
    this.publish('acks', { commandId, status: 'executed' } satisfies AckMessage);
  }

  private beat(): void {
    this.publish('heartbeat', { boot: this.#boot, uptimeMs: Math.round(performance.now()), battery: 80, rssi: -60 });
  }

  private publish(channel: 'status' | 'heartbeat' | 'events' | 'acks', message: object): void {
    this.client.publish(deviceTopic(this.deviceId, channel), JSON.stringify(message), { qos: 1 });
  }
}
