import { Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { CallingDevice, DeviceRoute } from '../../../platform/mqtt/requests/device-route.decorator.js';
import { Uplink } from '../../../platform/uplinks/uplink.decorator.js';
import { TooManyBootsError } from '../presence.errors.js';
import { HeartbeatAnswerDto, HttpHeartbeatDto } from './http-heartbeat.dto.js';
import { HttpPresenceService } from './http-presence.service.js';

@ApiTags('Devices on HTTP')
@Controller('devices/:deviceId/heartbeat')
export class PresenceHttpController {
  constructor(private readonly presence: HttpPresenceService) {}

  /**
   * A device without a connection says that it is there. It is online until it misses three heartbeats, and gets no orders: it
   * can only be told that some wait. What it reports is read with the same tolerance as over MQTT.
   */
  @Post()
  @DeviceRoute('heartbeat')
  @HttpCode(HttpStatus.OK)
  @ApiBody({ type: HttpHeartbeatDto })
  @Refuses(TooManyBootsError)
  async heartbeat(
    @CallingDevice() deviceId: string,
    @Uplink() heartbeat: HttpHeartbeatDto,
  ): Promise<HeartbeatAnswerDto> {
    return { commandsWaiting: await this.presence.report(deviceId, heartbeat) };
  }
}
