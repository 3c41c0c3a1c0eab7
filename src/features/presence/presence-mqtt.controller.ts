import { Controller } from '@nestjs/common';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { OnDeviceMessage } from '../../platform/mqtt/on-device-message.decorator.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { HeartbeatMessageDto, StatusMessageDto, toBirth } from './presence.dto.js';
import { PresenceService } from './presence.service.js';

/** Births, wills and heartbeats of devices. */
@Controller()
export class PresenceMqttController {
  constructor(private readonly presence: PresenceService) {}

  @OnDeviceMessage('status')
  status(@DeviceId() deviceId: string, @Uplink() status: StatusMessageDto): Promise<void> {
    return status.online
      ? this.presence.openLink(deviceId, 'mqtt', toBirth(status))
      : this.presence.closeLink(deviceId, 'mqtt', status.boot, 'will');
  }

  @OnDeviceMessage('heartbeat')
  heartbeat(@DeviceId() deviceId: string, @Uplink() heartbeat: HeartbeatMessageDto): void {
    this.presence.heartbeat(deviceId, 'mqtt', heartbeat);
  }
}
