import { Controller, Get, Query } from '@nestjs/common';
import type { DeviceRef } from '../../contracts/resources.js';
import { Authorize, Target } from '../../platform/auth/authorize.decorator.js';
import { EventPageDto, ListEventsQueryDto, toEventPageDto, toHistoryQuery } from './history.dto.js';
import { HistoryService } from './history.service.js';

@Controller('devices/:deviceId/events')
export class HistoryController {
  constructor(private readonly history: HistoryService) {}

  /** What happened to a device, newest first unless asked otherwise. */
  @Get()
  @Authorize('device:view')
  async list(@Target() device: DeviceRef, @Query() query: ListEventsQueryDto): Promise<EventPageDto> {
    return toEventPageDto(await this.history.list(device.id, toHistoryQuery(query)));
  }
}
