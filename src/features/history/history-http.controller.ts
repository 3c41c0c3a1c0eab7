import { Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { DeviceLimitedError } from '../../platform/mqtt/requests/device-request.errors.js';
import { DeviceLimiter } from '../../platform/mqtt/limits/device-limiter.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { CallingDevice, DeviceRoute } from '../../platform/mqtt/requests/device-route.decorator.js';
import { Uplink } from '../../platform/uplinks/uplink.decorator.js';
import { TooManyBootsError } from '../presence/presence.errors.js';
import { DeviceEventsDto } from './device-events.dto.js';
import { EventIngestService } from './event-ingest.service.js';
import { InvalidEventDataError } from './history.errors.js';
import { EventReceiptsDto } from './history.dto.js';

const RETRY_MS = 5_000;

@ApiTags('Devices on HTTP')
@Controller('devices/:deviceId/events')
export class HistoryHttpController {
  constructor(
    private readonly ingestion: EventIngestService,
    private readonly limiter: DeviceLimiter,
  ) {}

  /**
   * A device reports what happened, up to a hundred events in one request. They are stored without gaps, each once; the answer
   * says how far. What it does not cover is to be sent again. What is reported is read with the same tolerance as over MQTT.
   */
  @Post()
  @DeviceRoute('events')
  @HttpCode(HttpStatus.OK)
  @ApiBody({ type: DeviceEventsDto })
  @Refuses(TooManyBootsError, InvalidEventDataError)
  async ingest(@CallingDevice() deviceId: string, @Uplink() { events }: DeviceEventsDto): Promise<EventReceiptsDto> {
    const limit = this.limiter.refuseOnChannel(deviceId, 'events', events.length);
    if (limit !== null) {
      throw new DeviceLimitedError(limit, RETRY_MS);
    }
    await this.ingestion.ingest(deviceId, events, 'http');
    return { receipts: await this.ingestion.listReceipts(deviceId, events) };
  }
}
