import { Injectable } from '@nestjs/common';
import { HEARTBEAT_INTERVAL_MS } from '../../../contracts/mqtt.js';
import { Clock } from '../../../shared/clock.js';
import { callListener } from '../../process/faults.js';
import type { DeviceLogin } from '../../mqtt/device-authenticator.js';
import type { DeviceSocket } from './device-sockets.js';

/** So many intervals without a word are silence, as on every link. */
const MISSED_HEARTBEATS = 3;

/** A connection, and the token by which it logged in. */
export interface SocketLogin extends DeviceLogin {
  readonly socket: DeviceSocket;
}

/** Which devices are connected to this process by a socket. A device has one: a newer one replaces it. */
@Injectable()
export class DeviceSocketRegistry {
  /** Also those whose handshake is under way: a revocation must reach them too. */
  readonly #byDevice = new Map<string, Set<DeviceSocket>>();
  readonly #current = new Map<string, DeviceSocket>();
  /** SHA-256 of the token with which each logged in. */
  readonly #tokenHashes = new WeakMap<DeviceSocket, Buffer>();
  /** How long each may say nothing, in milliseconds. */
  readonly #silentAfter = new WeakMap<DeviceSocket, number>();
  /** When something was last heard from each, on the monotonic clock. */
  readonly #heardAt = new WeakMap<DeviceSocket, number>();
  /** Of those nothing is taken any more, and their end tells nothing about the device. */
  readonly #over = new WeakSet<DeviceSocket>();
  readonly #revocations: ((socket: DeviceSocket) => void)[] = [];

  constructor(private readonly clock: Clock) {}

  /** A handshake names this device. */
  expect(deviceId: string, socket: DeviceSocket): void {
    const sockets = this.#byDevice.get(deviceId) ?? new Set();
    this.#byDevice.set(deviceId, sockets.add(socket));
  }

  /** It has shown its token. */
  proven(socket: DeviceSocket, tokenHash: Buffer): void {
    this.#tokenHashes.set(socket, tokenHash);
  }

  /** Connections with the tokens by which they logged in. */
  logins(): SocketLogin[] {
    return [...this.#byDevice].flatMap(([deviceId, sockets]) =>
      [...sockets].flatMap((socket) => {
        const tokenHash = this.#tokenHashes.get(socket);
        return tokenHash ? [{ deviceId, socket, tokenHash }] : [];
      }),
    );
  }

  /** Its device said how often it is heard. */
  expectEvery(socket: DeviceSocket, intervalMs: number): void {
    this.#silentAfter.set(socket, intervalMs * MISSED_HEARTBEATS);
  }

  /** Its handshake was refused, or its connection is over. */
  forget(deviceId: string, socket: DeviceSocket): void {
    const sockets = this.#byDevice.get(deviceId);
    sockets?.delete(socket);
    if (sockets?.size === 0) {
      this.#byDevice.delete(deviceId);
    }
    if (this.#current.get(deviceId) === socket) {
      this.#current.delete(deviceId);
    }
  }

  /** Its handshake succeeded: it is the connection of the device from now on. @returns the one that it replaces */
  admit(deviceId: string, socket: DeviceSocket): DeviceSocket | undefined {
    const replaced = this.#current.get(deviceId);
    this.#current.set(deviceId, socket);
    this.heard(socket);
    return replaced;
  }

  /** The connection of a device, if this process has it. */
  of(deviceId: string): DeviceSocket | undefined {
    return this.#current.get(deviceId);
  }

  /** Nothing of it counts from now on, whatever is still on its way, its end included. */
  retire(socket: DeviceSocket): void {
    this.#over.add(socket);
  }

  /** The same, because its token is not valid any more. */
  revoke(socket: DeviceSocket): void {
    this.retire(socket);
    this.#revocations.forEach((listener) => {
      callListener(() => {
        listener(socket);
      });
    });
  }

  /** Calls `listener` for each connection that is revoked. */
  onRevoked(listener: (socket: DeviceSocket) => void): void {
    this.#revocations.push(listener);
  }

  isRetired(socket: DeviceSocket): boolean {
    return this.#over.has(socket);
  }

  /** Every connection of a device. */
  allOf(deviceId: string): DeviceSocket[] {
    return [...(this.#byDevice.get(deviceId) ?? [])];
  }

  heard(socket: DeviceSocket): void {
    this.#heardAt.set(socket, this.clock.monotonic());
  }

  /** Connections on which nothing was said for three intervals. */
  listSilent(): DeviceSocket[] {
    const now = this.clock.monotonic();
    return [...this.#current.values()].filter((socket) => {
      const silentAfter = this.#silentAfter.get(socket) ?? HEARTBEAT_INTERVAL_MS * MISSED_HEARTBEATS;
      return now - (this.#heardAt.get(socket) ?? now) > silentAfter;
    });
  }

  /** Devices that are connected, or about to be. */
  deviceIds(): string[] {
    return [...this.#byDevice.keys()];
  }

  /** Devices that are connected. */
  connectedIds(): string[] {
    return [...this.#current.keys()];
  }

  get size(): number {
    return this.#byDevice.size;
  }
}
