import { Injectable } from '@nestjs/common';
import type { DeviceDownlinks, DeviceNotice } from '../../../contracts/device-sockets.js';
import { DeviceSocketRegistry } from './device-socket-registry.js';
import { type DeviceSocket, unreadBytes } from './device-sockets.js';

const ACKNOWLEDGED_WITHIN_MS = 2_000;
/** As the embedded broker leaves unread: more is not sent to a device that does not read. */
const MAX_UNREAD_BYTES = 32_768;

/** What the server tells a device, and the device acknowledges. */
type Downlink = Exclude<keyof DeviceDownlinks, DeviceNotice>;

/** Says something to the device whose socket this process has. Nothing is kept for one that is away. */
@Injectable()
export class DeviceSocketPublisher {
  constructor(private readonly registry: DeviceSocketRegistry) {}

  /** Whether this process has the socket of a device. */
  has(deviceId: string): boolean {
    const socket = this.registry.of(deviceId);
    return socket !== undefined && !this.registry.isRetired(socket);
  }

  /**
   * @returns whether the device acknowledged in time that it has it. After `false` it was not sent, or its fate is unknown.
   */
  async publish<D extends Downlink>(
    deviceId: string,
    name: D,
    message: Parameters<DeviceDownlinks[D]>[0],
  ): Promise<boolean> {
    const socket = this.registry.of(deviceId);
    if (!socket || !this.mayReceive(socket)) {
      return false;
    }
    // Every downlink has an acknowledgement, which the compiler does not follow through the name.
    const waiting = socket.timeout(ACKNOWLEDGED_WITHIN_MS) as unknown as {
      emitWithAck(event: string, body: unknown): Promise<unknown>;
    };
    let end = (): void => undefined;
    const ended = new Promise<false>((resolve) => {
      end = () => {
        resolve(false);
      };
    });
    socket.once('disconnect', end);
    const acknowledged = waiting.emitWithAck(name, message).then(
      () => true,
      () => false,
    );
    return Promise.race([acknowledged, ended]).finally(() => socket.off('disconnect', end));
  }

  /**
   * Says what needs no acknowledgement: it arrives behind what was said before it, or the connection ends.
   * @returns whether it was sent
   */
  notify<N extends DeviceNotice>(deviceId: string, name: N, message: Parameters<DeviceDownlinks[N]>[0]): boolean {
    const socket = this.registry.of(deviceId);
    if (!socket || !this.mayReceive(socket)) {
      return false;
    }
    // The compiler does not follow the message through the name.
    (socket as unknown as { emit(event: string, body: unknown): void }).emit(name, message);
    return true;
  }

  private mayReceive(socket: DeviceSocket): boolean {
    return socket.connected && !this.registry.isRetired(socket) && unreadBytes(socket) <= MAX_UNREAD_BYTES;
  }
}
