import { Aedes } from 'aedes';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { DownlinkChannel } from '../../src/contracts/mqtt.js';
import type { SignedOrder } from '../../src/contracts/orders.js';
import { Faults } from './faults.js';
import { TestSigner } from './signer.js';
import { VirtualLock, type VirtualLockOptions } from './virtual-lock.js';

type Body = Record<string, unknown>;

const PATIENCE_MS = 8000;
const TOKEN = 'the-secret-token-of-this-device';

/** A real broker, scripted messages of the backend, and virtual locks on it. For specs. */
export class VirtualLockHarness {
  readonly deviceId = '0192a7c4-5b1e-7d3a-9c40-2f6e8b1d7a55';
  readonly signer = new TestSigner('bench');
  /** Every message on the device's topics, and every subscription, in sequence. */
  readonly received: { channel: string; body: Body; retain: boolean }[] = [];
  /** Log lines of the locks. */
  readonly logged: string[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'virtual-lock-'));
  readonly #sockets = new Set<Socket>();
  readonly #locks: VirtualLock[] = [];
  readonly #server: Server;
  #port = 0;
  #counter = 0;

  private constructor(readonly broker: Aedes) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket.on('close', () => this.#sockets.delete(socket)));
      broker.handle(socket);
    });
  }

  static async start(): Promise<VirtualLockHarness> {
    const harness = new VirtualLockHarness(await Aedes.createBroker());
    harness.#listen();
    await harness.startBroker();
    return harness;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#locks.map((lock) => lock.stop()));
    this.stopBroker();
    await new Promise<void>((resolve) => {
      this.broker.close(resolve);
    });
    rmSync(this.#directory, { recursive: true });
  }

  /** Listens, after the first time on the same port again. */
  async startBroker(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections and takes no new ones. */
  stopBroker(): void {
    this.#server.close();
    this.dropConnections();
  }

  dropConnections(): void {
    this.#sockets.forEach((socket) => socket.destroy());
  }

  lock({ fault, ...options }: Partial<VirtualLockOptions> & { fault?: string } = {}): VirtualLock {
    const lock = new VirtualLock({
      deviceId: this.deviceId,
      token: TOKEN,
      url: `mqtt://127.0.0.1:${String(this.#port)}`,
      keys: () => Promise.resolve({ keys: [this.signer.publicJwk] }),
      journalPath: join(this.#directory, 'lock.actuations.ndjson'),
      faults: new Faults(fault === undefined ? [] : [fault]),
      log: (kind, text, facts) => this.logged.push(JSON.stringify({ kind, text, facts })),
      ...options,
    });
    this.#locks.push(lock);
    return lock;
  }

  /** A good unlock order for the present boot of the lock, but for what is changed. */
  order(lock: VirtualLock, change: Body = {}): SignedOrder & { commandId: string } {
    this.#counter += 1;
    const body = {
      commandId: randomUUID(),
      name: 'unlock_door',
      payload: {},
      deviceId: this.deviceId,
      boot: lock.bootId,
      counter: this.#counter,
      expiresAtUptimeMs: lock.uptimeMs + 15_000,
      issuedAt: '2026-03-01T08:30:00.000Z',
      expiresAt: '2026-03-01T08:30:15.000Z',
      ...change,
    };
    return { ...this.signer.sign(JSON.stringify(body)), commandId: body.commandId };
  }

  publish(channel: DownlinkChannel, body: unknown, retain = false): Promise<void> {
    const topic = `v1/devices/${this.deviceId}/${channel}`;
    return new Promise((resolve, reject) => {
      const packet = { cmd: 'publish', qos: 1, dup: false, retain, topic, payload: JSON.stringify(body) } as const;
      this.broker.publish(packet, (error) => {
        if (error) {
          reject(error);
        } else {
          resolve();
        }
      });
    });
  }

  /** The messages of one channel; those of an array come one by one. */
  on(channel: string): Body[] {
    return this.received
      .filter((each) => each.channel === channel)
      .flatMap(({ body }): Body[] => (Array.isArray(body) ? (body as Body[]) : [body]));
  }

  acksOf(commandId: string): unknown[] {
    return this.on('acks')
      .filter((ack) => ack.commandId === commandId)
      .map(({ status }) => status);
  }

  verdictOn(commandId: string): Promise<Body> {
    const isVerdict = ({ status }: Body): boolean => status === 'executed' || status === 'failed';
    return this.until('a verdict', () => this.on('acks').find((ack) => ack.commandId === commandId && isVerdict(ack)));
  }

  async until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const seen = look();
      if (seen !== undefined && seen !== false) {
        return seen;
      }
      if (performance.now() > end) {
        throw new Error(`Waited in vain for ${what}. Heard: ${JSON.stringify(this.received)}`);
      }
      await wait(2);
    }
  }

  #listen(): void {
    this.broker.authenticate = (_client, username, password, done) => {
      done(null, username === this.deviceId && password?.toString() === TOKEN);
    };
    this.broker.on('publish', ({ topic, payload, retain }) => {
      const channel = topic.split('/')[3];
      if (topic.startsWith(`v1/devices/${this.deviceId}/`) && channel !== undefined) {
        this.received.push({ channel, body: JSON.parse(payload.toString()) as Body, retain });
      }
    });
    this.broker.on('subscribe', (subscriptions) => {
      this.received.push({
        channel: 'subscribed',
        body: { topics: subscriptions.map(({ topic }) => topic) },
        retain: false,
      });
    });
  }
}
