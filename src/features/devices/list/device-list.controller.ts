import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import {
  DevicePageDto,
  DeviceStatsDto,
  ListDevicesQueryDto,
  toDevicePageJson,
  toDeviceQuery,
  toDeviceStatsDto,
} from './device-list.dto.js';
import { DeviceListService } from './device-list.service.js';

@RateLimit('device')
@ApiTags('Devices')
@Controller('devices')
export class DeviceListController {
  constructor(private readonly devices: DeviceListService) {}

  /** List my devices, and those of my organizations. With `fields`, each has only the members that it names. */
  @Get()
  @Authorize()
  @Header('Content-Type', 'application/json; charset=utf-8')
  @ApiOkResponse({ type: DevicePageDto })
  @Refuses(InvalidCursorError)
  async list(@CurrentUser() user: Principal, @Query() query: ListDevicesQueryDto): Promise<string> {
    return toDevicePageJson(await this.devices.list(user.userId, toDeviceQuery(query)));
  }

  /** Count the devices that I see: by status, type and permission, their rooms, batteries and versions of firmware. */
  @Get('stats')
  @Authorize()
  async stats(@CurrentUser() user: Principal): Promise<DeviceStatsDto> {
    return toDeviceStatsDto(await this.devices.stats(user.userId));
  }
}
