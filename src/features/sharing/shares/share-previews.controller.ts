import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceRef } from '../../../contracts/resources.js';
import { AuditRead, ChangesNothing } from '../../../platform/audit/audit.decorator.js';
import { Authorize, Target } from '../../../platform/auth/authorize.decorator.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidShareTermsError, ShareNotFoundError } from '../sharing.errors.js';
import { OpeningsQueryDto, PreviewScheduleDto } from './previews.dto.js';
import { judged, requestedTimes } from './requested-terms.js';
import { OpeningsDto, SchedulePreviewDto, toOpeningDto, toPreviewDto } from './share-answers.dto.js';
import { SharePreviewService } from './share-preview.service.js';
import { SharesService } from './shares.service.js';

@RateLimit('device')
@ApiTags('Sharing')
@Controller('devices/:deviceId/shares')
export class SharePreviewsController {
  constructor(
    private readonly shares: SharesService,
    private readonly previews: SharePreviewService,
  ) {}

  /** The next times at which a share is open, by its schedule, also across the next change of clocks. */
  @Get(':shareId/openings')
  @Authorize('device:admin')
  @AuditRead('device_shares_read', 'deviceId')
  @Refuses(ShareNotFoundError)
  async openings(
    @Target() device: DeviceRef,
    @Param('shareId') shareId: string,
    @Query() { after, count }: OpeningsQueryDto,
  ): Promise<OpeningsDto> {
    const { effective } = await this.shares.get(device.id, shareId);
    const from = after === undefined ? null : new Date(after);
    return { items: (await this.previews.openings(effective, count, from)).map(toOpeningDto) };
  }

  /**
   * What a schedule or a recurrence rule comes to, before a share is given with it: the window, the weekly schedule, and the next
   * times at which it is open. It changes nothing.
   */
  @Post('preview')
  @HttpCode(HttpStatus.OK)
  @Authorize('device:admin')
  @ChangesNothing()
  @Refuses(InvalidShareTermsError)
  async preview(@Target() _device: DeviceRef, @Body() request: PreviewScheduleDto): Promise<SchedulePreviewDto> {
    const { from = null, until = null, schedule = null } = requestedTimes(request);
    const terms = { permission: 'view', from, until, schedule, suspended: false } as const;
    const after = request.after === undefined ? null : new Date(request.after);
    return toPreviewDto(terms, await judged(request, () => this.previews.preview(terms, request.count, after)));
  }
}
