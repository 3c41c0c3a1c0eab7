import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { TakesNoQuery } from '../../platform/http/validation/no-query.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { DeviceCountsService } from '../presence/counts/device-counts.service.js';
import { DeviceHealthDto, toDeviceHealthDto } from './device-health.dto.js';

@ApiTags('Operations')
@RateLimit('admin')
@Controller('api/health/devices')
export class DeviceHealthController {
  constructor(private readonly counts: DeviceCountsService) {}

  /** Devices of the whole installation: by status, with their connections by kind, and how often they are heard. Some seconds old. */
  @Get()
  @Authorize('admin')
  @TakesNoQuery()
  async report(): Promise<DeviceHealthDto> {
    return toDeviceHealthDto(await this.counts.get());
  }
}
