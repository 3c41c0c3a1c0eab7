import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { DeviceRef } from '../../../contracts/resources.js';
import { Audit, AuditRead } from '../../../platform/audit/audit.decorator.js';
import { ForbiddenError } from '../../../platform/auth/auth.errors.js';
import { Authorize, CurrentUser, Target } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Vital } from '../../../platform/http/admission/vital.decorator.js';
import { IfMatch, TakesIfMatch } from '../../../platform/http/conditional/if-match.decorator.js';
import { ReadVersioned, VersionTagInterceptor } from '../../../platform/http/conditional/version-tag.interceptor.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import { EmailQuotaExceededError } from '../../auth/auth.errors.js';
import { UnlockRestrictedError } from '../../users/users.errors.js';
import {
  AlreadySharedError,
  InvalidShareTermsError,
  ShareChangedError,
  ShareNotFoundError,
  ShareWithSelfError,
  TooManySharesError,
} from '../sharing.errors.js';
import type { Share } from '../sharing.types.js';
import { judged, requestedChanges, requestedTimes } from './requested-terms.js';
import { SharePreviewService } from './share-preview.service.js';
import { ShareDto, SharePageDto, toShareDto, toSharePageDto } from './share-answers.dto.js';
import { ShareDeviceDto, UpdateShareDto } from './shares.dto.js';
import { SharesService } from './shares.service.js';

/** A person whose own `admin` is a share gives no `admin`, and changes only what they gave. */
const BEYOND_A_SHARE = new ForbiddenError('device:manager');

@RateLimit('device')
@ApiTags('Sharing')
@Controller('devices/:deviceId/shares')
export class SharesController {
  constructor(
    private readonly shares: SharesService,
    private readonly previews: SharePreviewService,
  ) {}

  /**
   * Share a device with a person: at once where they have an account, else once they accept the invitation that is mailed
   * to them. The answer does not tell which. A person whose own permission is a share gives `view` and `control`, and
   * what they gave ends and is suspended with their own: `admin` is given by the owner and the managers of the organization
   * (403, `required` is `device:manager`).
   */
  @Post()
  @Authorize('device:admin')
  @Audit('share_granted', 'deviceId')
  @Idempotent()
  @RateLimit('mail')
  @Refuses(
    AlreadySharedError,
    ShareWithSelfError,
    TooManySharesError,
    InvalidShareTermsError,
    UnlockRestrictedError,
    ShareNotFoundError,
    BEYOND_A_SHARE,
  )
  async share(
    @Target() device: DeviceRef,
    @CurrentUser() user: Principal,
    @Body() request: ShareDeviceDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ShareDto> {
    const { permission, email } = request;
    const { from = null, until = null, schedule = null } = requestedTimes(request);
    const terms = { permission, from, until, schedule, suspended: false };
    const share = await judged(request, () => this.shares.share(device.id, user.userId, email, terms));
    void reply.header('Location', `/api/v1/devices/${device.id}/shares/${share.id}`);
    return toShareDto(share, await this.previews.now());
  }

  /** Whom the device is shared with, oldest first. Reading it is audited, unless I own the device. */
  @Get()
  @Authorize('device:admin')
  @AuditRead('device_shares_read', 'deviceId')
  @Refuses(InvalidCursorError)
  async list(@Target() device: DeviceRef, @Query() page: PageQueryDto): Promise<SharePageDto> {
    return toSharePageDto(await this.shares.list(device.id, page), await this.previews.now());
  }

  /** One share, with its version as `ETag`. */
  @Get(':shareId')
  @Authorize('device:admin')
  @AuditRead('device_shares_read', 'deviceId')
  @ReadVersioned()
  @Refuses(ShareNotFoundError)
  async get(@Target() device: DeviceRef, @Param('shareId') shareId: string): Promise<ShareDto> {
    return toShareDto(await this.shares.get(device.id, shareId), await this.previews.now());
  }

  /**
   * Change what a share gives and when, suspend it, or resume it. What is taken bites within two seconds: no event is
   * delivered and no order is sent after that, and those that wait are refused when their turn comes. What changes nothing
   * makes no version. A person whose own `admin` is a share changes what they gave, and gives no `admin`: all else takes
   * `device:manager`.
   */
  @Patch(':shareId')
  @Vital()
  @Authorize('device:admin')
  @Audit('share_changed')
  @TakesIfMatch(ShareChangedError)
  @UseInterceptors(VersionTagInterceptor)
  @Refuses(ShareNotFoundError, InvalidShareTermsError, TooManySharesError, UnlockRestrictedError, BEYOND_A_SHARE)
  async update(
    @Target() device: DeviceRef,
    @CurrentUser() user: Principal,
    @Param('shareId') shareId: string,
    @Body() request: UpdateShareDto,
    @IfMatch() versions?: number[],
  ): Promise<ShareDto> {
    const { permission, suspended } = request;
    const changes = {
      ...requestedChanges(request),
      ...(permission === undefined ? {} : { permission }),
      ...(suspended === undefined ? {} : { suspended }),
    };
    const update = (): Promise<Share> => this.shares.update(device.id, user.userId, shareId, changes, versions);
    // Where the rule has no end, it is the share that is over.
    const share = await (changes.within?.until ? judged(request, update) : update());
    return toShareDto(share, await this.previews.now());
  }

  /**
   * End a share, and those that its holder gave. It bites within two seconds. A person whose own `admin` is a share ends what they
   * gave: all else takes `device:manager`.
   */
  @Delete(':shareId')
  @Vital()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('device:admin')
  @Audit('share_revoked')
  @Refuses(ShareNotFoundError, BEYOND_A_SHARE)
  async revoke(
    @Target() device: DeviceRef,
    @CurrentUser() user: Principal,
    @Param('shareId') shareId: string,
  ): Promise<void> {
    await this.shares.revoke(device.id, user.userId, shareId);
  }

  /** Mail the recipient once more. Where they have not accepted yet, the link of the first mail ends. */
  @Post(':shareId/invitation')
  @HttpCode(HttpStatus.ACCEPTED)
  @Authorize('device:admin')
  @Audit('share_invited_again')
  @Idempotent()
  @RateLimit('mail')
  @Refuses(ShareNotFoundError, EmailQuotaExceededError, BEYOND_A_SHARE)
  async inviteAgain(
    @Target() device: DeviceRef,
    @CurrentUser() user: Principal,
    @Param('shareId') shareId: string,
  ): Promise<void> {
    await this.shares.inviteAgain(device.id, user.userId, shareId);
  }
}
