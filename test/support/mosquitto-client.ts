import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { deviceTopic, type DeviceChannel, type UplinkChannel } from '../../src/contracts/mqtt.js';
import { fromEnvironment } from './environment.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { eventually } from './wait.js';

/** `mosquitto_sub` and `mosquitto_pub` in the part of a device: what a firmware author has before there is firmware. */
export class MosquittoDevice {
  readonly #subscriber: ChildProcess;
  #received = '';

  private constructor(
    private readonly url: URL,
    private readonly device: RegisteredDevice,
    boot: string,
  ) {
    const will = JSON.stringify({ online: false, boot });
    this.#subscriber = spawn(fromEnvironment('TEST_MOSQUITTO_SUB'), [
      ...this.account(device.id),
      ...[
        '-v',
        '-q',
        '1',
        '--topic',
        deviceTopic(device.id, 'commands'),
        '--topic',
        deviceTopic(device.id, 'receipts'),
      ],
      ...['--will-topic', deviceTopic(device.id, 'status'), '--will-payload', will, '--will-qos', '1', '--will-retain'],
    ]);
    for (const stream of [this.#subscriber.stdout, this.#subscriber.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#received += chunk.toString();
      });
    }
  }

  /**
   * Listens to its orders and receipts. `mosquitto_sub` does not say in time that it is subscribed; the receipt of an
   * event does, which is sent again until then, as the protocol asks.
   */
  static async listening(url: string, device: RegisteredDevice, boot: string): Promise<MosquittoDevice> {
    const client = new MosquittoDevice(new URL(url), device, boot);
    try {
      await eventually('mosquitto_sub is subscribed', async () => {
        await client.publish('events', { seq: 1, boot, type: 'custom', uptimeMs: 0, data: { hello: 'world' } });
        return client.received('receipts').length > 0;
      });
    } catch (error) {
      client.#subscriber.kill('SIGKILL');
      throw error;
    }
    return client;
  }

  /** Publishes by a run of `mosquitto_pub`; rejects when the broker does not take it. */
  async publish(
    channel: UplinkChannel,
    message: unknown,
    { retain = false }: { retain?: boolean } = {},
  ): Promise<void> {
    await this.publishTo(deviceTopic(this.device.id, channel), message, retain);
  }

  async publishTo(topic: string, message: unknown, retain = false): Promise<void> {
    const text = JSON.stringify(message);
    const args = [
      ...this.account(`${this.device.id}-pub`),
      '-q',
      '1',
      '-t',
      topic,
      '-m',
      text,
      ...(retain ? ['-r'] : []),
    ];
    await promisify(execFile)(fromEnvironment('TEST_MOSQUITTO_PUB'), args, { timeout: 10_000 });
  }

  /** What came on one of its topics, in order. */
  received<T>(channel: DeviceChannel): T[] {
    const prefix = `${deviceTopic(this.device.id, channel)} `;
    const lines = this.#received.split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith(prefix)).map((line) => JSON.parse(line.slice(prefix.length)) as T);
  }

  /** Ends without a goodbye: the broker publishes the will. */
  async vanish(): Promise<void> {
    this.#subscriber.kill('SIGKILL');
    await eventually(
      'mosquitto_sub is gone',
      () => this.#subscriber.signalCode !== null || this.#subscriber.exitCode !== null,
    );
  }

  private account(clientId: string): string[] {
    const { id, token } = this.device;
    return ['-h', this.url.hostname, '-p', this.url.port, '-V', 'mqttv311', '-i', clientId, '-u', id, '-P', token];
  }
}
