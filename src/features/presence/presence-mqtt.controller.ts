import { Controller } from '@nestjs/common';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { WaitedMs } from '../../platform/mqtt/line/waited-ms.decorator.js';
import { OnDeviceMessage } from '../../platform/mqtt/on-device-message.decorator.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { HeartbeatMessageDto, StatusMessageDto, toBirth, toHeartbeat } from './presence.dto.js';
import { PresenceService } from './presence.service.js';
import { StatusQueue } from './status-queue.js';

/** Births, wills and heartbeats of devices. */
@Controller()
export class PresenceMqttController {
  constructor(
    private readonly presence: PresenceService,
    private readonly statuses: StatusQueue,
  ) {}

  @OnDeviceMessage('status')
  status(
    @DeviceId() deviceId: string,
    @Uplink() status: StatusMessageDto,
    @WaitedMs() waitedMs: number,
  ): Promise<void> {
    return this.statuses.report(
      deviceId,
      'mqtt',
      status.online
        ? { online: true, birth: { ...toBirth(status), waitedMs } }
        : { online: false, boot: status.boot, waitedMs },
    );
  }

  @OnDeviceMessage('heartbeat')
  heartbeat(
    @DeviceId() deviceId: string,
    @Uplink() heartbeat: HeartbeatMessageDto,
    @WaitedMs() waitedMs: number,
  ): void {
    this.presence.heartbeat(deviceId, 'mqtt', { ...toHeartbeat(heartbeat), waitedMs });
  }
}
