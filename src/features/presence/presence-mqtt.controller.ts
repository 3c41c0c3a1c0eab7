import { Controller } from '@nestjs/common';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { OnDeviceMessage } from '../../platform/mqtt/on-device-message.decorator.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { HeartbeatMessageDto, StatusMessageDto, toBirth } from './presence.dto.js';
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
  status(@DeviceId() deviceId: string, @Uplink() status: StatusMessageDto): Promise<void> {
    return this.statuses.report(
      deviceId,
      status.online ? { online: true, birth: toBirth(status) } : { online: false, boot: status.boot },
    );
  }

  @OnDeviceMessage('heartbeat')
  heartbeat(@DeviceId() deviceId: string, @Uplink() heartbeat: HeartbeatMessageDto): void {
    this.presence.heartbeat(deviceId, 'mqtt', heartbeat);
  }
}
