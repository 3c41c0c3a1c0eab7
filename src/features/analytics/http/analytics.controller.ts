import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Cached } from '../../../platform/cache/cached.decorator.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { TakesNoQuery } from '../../../platform/http/validation/no-query.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import {
  InvalidPeriodError,
  PeriodNotKeptError,
  TooManyDevicesToAnalyseError,
  TooManyPointsError,
} from '../analytics.errors.js';
import { AnalyticsScopeService, tagsOfCounts } from '../analytics-scope.service.js';
import { AnalyticsService } from '../analytics.service.js';
import { ChartDto, toChartDto } from './analysis.dto.js';
import {
  DashboardDto,
  DistributionDto,
  LiveDto,
  OfflineDto,
  RankingDto,
  toDashboardDto,
  toDistributionDto,
  toLiveDto,
  toOfflineDto,
  toRankingDto,
} from './analytics.dto.js';
import {
  CourseQueryDto,
  ListedPeriodQueryDto,
  PeriodQueryDto,
  RankingQueryDto,
  toQuestion,
} from './period-query.dto.js';

const OF_COUNTS = { category: 'analytics', tags: tagsOfCounts, scope: AnalyticsScopeService } as const;

@RateLimit('analytics')
@ApiTags('Analytics')
@Controller('analytics')
export class AnalyticsController {
  constructor(private readonly analytics: AnalyticsService) {}

  /**
   * All devices that I see at a glance: how many are online, what happened in the period and in the time before, and how many commands were
   * executed. Of each device only what happened since it has its present owner counts, here and in all analyses.
   */
  @Get('dashboard')
  @Authorize()
  @Cached(OF_COUNTS)
  @Refuses(InvalidPeriodError, TooManyPointsError, PeriodNotKeptError, TooManyDevicesToAnalyseError)
  async dashboard(@CurrentUser() { userId }: Principal, @Query() query: PeriodQueryDto): Promise<DashboardDto> {
    return toDashboardDto(await this.analytics.dashboard(toQuestion(userId, query)));
  }

  /** What happened to all devices that I see, point by point. */
  @Get('trends')
  @Authorize()
  @Cached(OF_COUNTS)
  @Refuses(InvalidPeriodError, TooManyPointsError, PeriodNotKeptError, TooManyDevicesToAnalyseError)
  async trends(@CurrentUser() { userId }: Principal, @Query() query: CourseQueryDto): Promise<ChartDto> {
    return toChartDto(await this.analytics.trends(toQuestion(userId, query)));
  }

  /** Which events there were, at which hours of the day and on which weekdays. */
  @Get('distribution')
  @Authorize()
  @Cached(OF_COUNTS)
  @Refuses(InvalidPeriodError, TooManyPointsError, PeriodNotKeptError, TooManyDevicesToAnalyseError)
  async distribution(@CurrentUser() { userId }: Principal, @Query() query: PeriodQueryDto): Promise<DistributionDto> {
    return toDistributionDto(await this.analytics.distribution(toQuestion(userId, query)));
  }

  /** The doors that are unlocked, or opened, most often. */
  @Get('top-doors')
  @Authorize()
  @Cached(OF_COUNTS)
  @Refuses(InvalidPeriodError, TooManyPointsError, PeriodNotKeptError, TooManyDevicesToAnalyseError)
  async topDoors(@CurrentUser() { userId }: Principal, @Query() query: RankingQueryDto): Promise<RankingDto> {
    const { measure, limit, ...period } = query;
    return toRankingDto(await this.analytics.ranking(toQuestion(userId, period), measure, limit));
  }

  /** How long devices were offline: in all, point by point, and those that were so for the longest. */
  @Get('offline')
  @Authorize()
  @Cached({ ...OF_COUNTS, hasReadings: () => true })
  @Refuses(InvalidPeriodError, TooManyPointsError, PeriodNotKeptError, TooManyDevicesToAnalyseError)
  async offline(@CurrentUser() { userId }: Principal, @Query() query: ListedPeriodQueryDto): Promise<OfflineDto> {
    const { limit, ...period } = query;
    return toOfflineDto(await this.analytics.offline(toQuestion(userId, period), limit));
  }

  /** What is going on: devices that are online, orders on their way, events of the last five minutes. */
  @Get('live')
  @Authorize()
  @Cached({ ...OF_COUNTS, category: 'live', hasReadings: () => true })
  @TakesNoQuery()
  @Refuses(TooManyDevicesToAnalyseError)
  async live(@CurrentUser() { userId }: Principal): Promise<LiveDto> {
    return toLiveDto(await this.analytics.live(userId));
  }
}
