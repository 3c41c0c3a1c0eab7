import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceRef } from '../../contracts/resources.js';
import { AuditRead } from '../../platform/audit/audit.decorator.js';
import { Authorize, Target } from '../../platform/auth/authorize.decorator.js';
import { EventPageDto, ListEventsQueryDto, toEventPageDto, toHistoryQuery } from './list/event-list.dto.js';
import { HistoryService } from './history.service.js';
import { InvalidTimeRangeError } from './history.errors.js';
import { InvalidCursorError } from '../../shared/cursor.js';
import { CursorExpiredError } from '../../platform/events/event-log.errors.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';

@ApiTags('History')
@Controller('devices/:deviceId/events')
export class HistoryController {
  constructor(private readonly history: HistoryService) {}

  /**
   * What happened to a device since it has its owner, newest first unless asked otherwise. A page may be empty and have another behind it:
   * go on until `nextCursor` is null. Reading it is audited, unless I own the device.
   */
  @Get()
  @Authorize('device:view')
  @AuditRead('device_history_read', 'deviceId')
  @Refuses(InvalidTimeRangeError, InvalidCursorError, CursorExpiredError)
  async list(@Target() device: DeviceRef, @Query() query: ListEventsQueryDto): Promise<EventPageDto> {
    return toEventPageDto(await this.history.list(device.id, toHistoryQuery(query, query.order)), query.fields);
  }
}
