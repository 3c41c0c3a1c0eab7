import type { Client } from 'aedes';
import type { DeviceLogin } from './device-authenticator.js';
import type { EndedLine } from './limits/ended-token-registry.js';

/** A few are allowed, so that a test client can publish beside one that subscribes. */
const MAX_PER_DEVICE = 4;
const NO_TOKEN = Buffer.alloc(0);

/** Which connections each device has. */
export class DeviceConnectionRegistry {
  /** Also those whose login is under way: a revocation must reach them too. */
  readonly #byDevice = new Map<string, Set<Client>>();
  readonly #deviceOf = new WeakMap<Client, string>();
  readonly #tokenHashOf = new WeakMap<Client, Buffer>();
  readonly #admitted = new WeakSet<Client>();
  readonly #revoked = new WeakSet<Client>();
  readonly #topics = new WeakMap<Client, Set<string>>();

  /** @param tokenHash of the token that it logs in with */
  add(deviceId: string, client: Client, tokenHash: Buffer): void {
    const clients = this.#byDevice.get(deviceId) ?? new Set();
    this.#byDevice.set(deviceId, clients.add(client));
    this.#deviceOf.set(client, deviceId);
    this.#tokenHashOf.set(client, tokenHash);
    client.conn.once('close', () => {
      clients.delete(client);
      if (clients.size === 0 && this.#byDevice.get(deviceId) === clients) {
        this.#byDevice.delete(deviceId);
      }
    });
  }

  /**
   * Its login succeeded. Only these count, or a stranger could push a device out. @returns those now too many, oldest
   * first.
   */
  admit(client: Client): Client[] {
    this.#admitted.add(client);
    const deviceId = this.#deviceOf.get(client) ?? '';
    const admitted = [...(this.#byDevice.get(deviceId) ?? [])].filter((other) => this.#admitted.has(other));
    return admitted.filter((other) => other !== client).slice(0, Math.max(0, admitted.length - MAX_PER_DEVICE));
  }

  deviceOf(client: Client): string | undefined {
    return this.#deviceOf.get(client);
  }

  /** The device of a connection that has proved to be it. */
  provenDeviceOf(client: Client): string | undefined {
    return this.#admitted.has(client) ? this.deviceOf(client) : undefined;
  }

  /** The broker has granted it these topics. */
  subscribed(client: Client, topics: readonly string[]): void {
    this.#topics.set(client, new Set([...(this.#topics.get(client) ?? []), ...topics]));
  }

  unsubscribed(client: Client, topics: readonly string[]): void {
    topics.forEach((topic) => this.#topics.get(client)?.delete(topic));
  }

  /** Whether a connection of a device has subscribed to a topic. */
  hasSubscriber(deviceId: string, topic: string): boolean {
    return this.of(deviceId).some((client) => this.#topics.get(client)?.has(topic));
  }

  /** The connections of a device. */
  of(deviceId: string): Client[] {
    return [...(this.#byDevice.get(deviceId) ?? [])];
  }

  /**
   * From now on these connections may do nothing, whatever is still on its way. The one with a will is the line of the device;
   * without one, any other is.
   * @returns null when none of them had proved to be the device: a stranger whose login is under way is no line that ends
   */
  revoke(deviceId: string, clients: readonly Client[]): EndedLine | null {
    const proven = clients.filter((client) => this.#admitted.has(client));
    clients.forEach((client) => this.#revoked.add(client));
    const hadLine = proven.some(({ id }) => id === deviceId);
    const isLive = (client: Client): boolean => this.#admitted.has(client) && !this.#revoked.has(client);
    const isBack = (): boolean =>
      this.of(deviceId).some((client) => isLive(client) && (!hadLine || client.id === deviceId));
    return proven.length === 0 ? null : { deviceId, isBack };
  }

  isRevoked(client: Client): boolean {
    return this.#revoked.has(client);
  }

  /** Every connection, with the login that it stands on. */
  logins(): (DeviceLogin & { readonly client: Client })[] {
    return [...this.#byDevice].flatMap(([deviceId, clients]) =>
      [...clients].map((client) => ({ client, deviceId, tokenHash: this.#tokenHashOf.get(client) ?? NO_TOKEN })),
    );
  }
}
