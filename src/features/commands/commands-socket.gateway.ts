import { UseInterceptors } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { DeviceId } from '../../platform/mqtt/device-id.decorator.js';
import { DeviceSocketInterceptor } from '../../platform/realtime/devices/device-socket.interceptor.js';
import { DEVICE_GATEWAY } from '../../platform/realtime/devices/device-sockets.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { AckDto } from './acknowledgement/acks.dto.js';
import { AcknowledgementService } from './acknowledgement/acknowledgement.service.js';

/** Acks of devices on sockets. */
@WebSocketGateway(DEVICE_GATEWAY)
@UseInterceptors(DeviceSocketInterceptor)
export class CommandsSocketGateway {
  constructor(private readonly acknowledgements: AcknowledgementService) {}

  @SubscribeMessage('command_ack')
  acknowledge(@DeviceId() deviceId: string, @Uplink() ack: AckDto): Promise<void> {
    return this.acknowledgements.acknowledge(deviceId, ack, 'websocket');
  }
}
