import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceRef } from '../../../contracts/resources.js';
import { AuditRead } from '../../../platform/audit/audit.decorator.js';
import { ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { Authorize, CurrentUser, Target } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import {
  InvalidPeriodError,
  PeriodNotKeptError,
  TooManyDevicesToAnalyseError,
  TooManyPointsError,
} from '../analytics.errors.js';
import { UsageService } from '../usage.service.js';
import { ChartDto, toChartDto } from './analysis.dto.js';
import { toUsageDto, UsageDto } from './analytics.dto.js';
import { ComparisonQueryDto, CourseQueryDto, toQuestion } from './period-query.dto.js';

@RateLimit('analytics')
@ApiTags('Analytics')
@Controller('analytics')
export class UsageController {
  constructor(private readonly usage: UsageService) {}

  /**
   * What happened to a device, point by point, whether it is more than before, and at which hour of the day the most happens. Reading
   * it is audited, unless I own the device.
   */
  @Get('devices/:deviceId/usage')
  @Authorize('device:view')
  @AuditRead('device_usage_read', 'deviceId')
  @Refuses(InvalidPeriodError, TooManyPointsError, PeriodNotKeptError)
  async ofDevice(
    @CurrentUser() { userId }: Principal,
    @Target() { id }: DeviceRef,
    @Query() query: CourseQueryDto,
  ): Promise<UsageDto> {
    return toUsageDto(await this.usage.ofDevice(id, toQuestion(userId, query)));
  }

  /** One figure of up to ten devices, each as a series. Reading it is audited for each that I do not own. */
  @Get('comparison')
  @Authorize()
  @Refuses(
    InvalidPeriodError,
    TooManyPointsError,
    PeriodNotKeptError,
    TooManyDevicesToAnalyseError,
    new ResourceNotFoundError('device'),
  )
  async compare(@CurrentUser() { userId }: Principal, @Query() query: ComparisonQueryDto): Promise<ChartDto> {
    const { deviceIds, measure, ...course } = query;
    return toChartDto(await this.usage.compare(deviceIds, measure, toQuestion(userId, course)));
  }
}
