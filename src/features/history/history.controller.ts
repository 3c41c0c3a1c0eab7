import { Controller, Get, Query } from '@nestjs/common';
import type { DeviceRef } from '../../contracts/resources.js';
import { AuditRead } from '../../platform/audit/audit.decorator.js';
import { Authorize, Target } from '../../platform/auth/authorize.decorator.js';
import { EventPageDto, ListEventsQueryDto, toEventPageDto, toHistoryQuery } from './history.dto.js';
import { HistoryService } from './history.service.js';

@Controller('devices/:deviceId/events')
export class HistoryController {
  constructor(private readonly history: HistoryService) {}

  /** What happened to a device, newest first unless asked otherwise. Reading it is audited, unless I own the device. */
  @Get()
  @Authorize('device:view')
  @AuditRead('device_history_read', 'deviceId')
  async list(@Target() device: DeviceRef, @Query() query: ListEventsQueryDto): Promise<EventPageDto> {
    return toEventPageDto(await this.history.list(device.id, toHistoryQuery(query)));
  }
}
