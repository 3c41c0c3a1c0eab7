import { Controller } from '@nestjs/common';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { OnDeviceMessage } from '../../platform/mqtt/on-device-message.decorator.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { AckDto } from './acknowledgement/acks.dto.js';
import { AcknowledgementService } from './acknowledgement/acknowledgement.service.js';

/** Acks of devices. */
@Controller()
export class CommandsMqttController {
  constructor(private readonly acknowledgements: AcknowledgementService) {}

  @OnDeviceMessage('acks')
  acknowledge(@DeviceId() deviceId: string, @Uplink() ack: AckDto): Promise<void> {
    return this.acknowledgements.acknowledge(deviceId, ack);
  }
}
