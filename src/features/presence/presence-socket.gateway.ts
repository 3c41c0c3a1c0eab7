import { UseInterceptors } from '@nestjs/common';
import { type OnGatewayDisconnect, SubscribeMessage, ConnectedSocket, WebSocketGateway } from '@nestjs/websockets';
import { HEARTBEAT_INTERVAL_MS } from '../../contracts/mqtt.js';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { inBackground } from '../../platform/process/faults.js';
import { DeviceSocketRegistry } from '../../platform/realtime/devices/device-socket-registry.js';
import { DeviceSocketInterceptor } from '../../platform/realtime/devices/device-socket.interceptor.js';
import { DEVICE_GATEWAY, deviceOfSocket, type DeviceSocket } from '../../platform/realtime/devices/device-sockets.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { Clock } from '../../shared/clock.js';
import { HeartbeatMessageDto, StatusMessageDto, toBirth, toHeartbeat } from './presence.dto.js';
import { PresenceService } from './presence.service.js';
import { TokenEndsService } from './revocation/token-ends.service.js';
import { StatusQueue } from './status-queue.js';

/** The birth on a socket: its end is the will of that boot. */
interface BornSocket {
  readonly boot: string;
  /** On the monotonic clock. */
  readonly at: number;
}

/** Births, ends and heartbeats of devices on sockets. */
@WebSocketGateway(DEVICE_GATEWAY)
@UseInterceptors(DeviceSocketInterceptor)
export class PresenceSocketGateway implements OnGatewayDisconnect {
  readonly #born = new WeakMap<DeviceSocket, BornSocket>();

  constructor(
    private readonly presence: PresenceService,
    private readonly statuses: StatusQueue,
    private readonly registry: DeviceSocketRegistry,
    private readonly clock: Clock,
    tokenEnds: TokenEndsService,
  ) {
    registry.onRevoked((socket) => {
      const born = this.#born.get(socket);
      if (born) {
        const deviceId = deviceOfSocket(socket);
        const isBack = (): boolean => this.isBorn(registry.of(deviceId));
        tokenEnds.ended({ deviceId, link: 'websocket', isBack, boot: born.boot, bornAt: born.at });
      }
    });
  }

  @SubscribeMessage('device_register')
  register(
    @ConnectedSocket() socket: DeviceSocket,
    @DeviceId() deviceId: string,
    @Uplink() status: StatusMessageDto,
  ): Promise<void> {
    this.#born.set(socket, { boot: status.boot, at: this.clock.monotonic() });
    this.registry.expectEvery(socket, status.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS);
    return this.statuses.report(deviceId, 'websocket', { online: true, birth: toBirth(status) });
  }

  @SubscribeMessage('device_heartbeat')
  heartbeat(@DeviceId() deviceId: string, @Uplink() heartbeat: HeartbeatMessageDto): void {
    this.presence.heartbeat(deviceId, 'websocket', toHeartbeat(heartbeat));
  }

  private isBorn(socket: DeviceSocket | undefined): boolean {
    return socket !== undefined && this.#born.has(socket) && !this.registry.isRetired(socket);
  }

  /** Not of a connection that was replaced, revoked or cut: what became of its link is known by other ways. */
  handleDisconnect(socket: DeviceSocket): void {
    const born = this.#born.get(socket);
    if (born && !this.registry.isRetired(socket)) {
      const { boot, at } = born;
      const report = { online: false as const, boot, bornMsAgo: this.clock.monotonic() - at };
      inBackground(() => this.statuses.report(deviceOfSocket(socket), 'websocket', report));
    }
  }
}
