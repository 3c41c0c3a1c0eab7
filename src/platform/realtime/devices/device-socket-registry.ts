import { Injectable } from '@nestjs/common';
import { Clock } from '../../../shared/clock.js';
import type { DeviceSocket } from './device-sockets.js';

/** Which devices are connected to this process by a socket. A device has one: a newer one replaces it. */
@Injectable()
export class DeviceSocketRegistry {
  /** Also those whose handshake is under way: a revocation must reach them too. */
  readonly #byDevice = new Map<string, Set<DeviceSocket>>();
  readonly #current = new Map<string, DeviceSocket>();
  /** When something was last heard from each, on the monotonic clock. */
  readonly #heardAt = new WeakMap<DeviceSocket, number>();
  /** Of those nothing is taken any more, and their end tells nothing about the device. */
  readonly #over = new WeakSet<DeviceSocket>();

  constructor(private readonly clock: Clock) {}

  /** A handshake names this device. */
  expect(deviceId: string, socket: DeviceSocket): void {
    const sockets = this.#byDevice.get(deviceId) ?? new Set();
    this.#byDevice.set(deviceId, sockets.add(socket));
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

  isRetired(socket: DeviceSocket): boolean {
    return this.#over.has(socket);
  }

  /** Retires every connection of a device. @returns them */
  retireAll(deviceId: string): DeviceSocket[] {
    const sockets = [...(this.#byDevice.get(deviceId) ?? [])];
    sockets.forEach((socket) => {
      this.retire(socket);
    });
    return sockets;
  }

  heard(socket: DeviceSocket): void {
    this.#heardAt.set(socket, this.clock.monotonic());
  }

  /** Connections on which nothing was said for longer than so many milliseconds. */
  listSilent(ms: number): DeviceSocket[] {
    const before = this.clock.monotonic() - ms;
    return [...this.#current.values()].filter((socket) => (this.#heardAt.get(socket) ?? before) < before);
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
