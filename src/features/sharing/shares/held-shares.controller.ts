import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Cached } from '../../../platform/cache/cached.decorator.js';
import { Vital } from '../../../platform/http/admission/vital.decorator.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import { AccountCannotActError } from '../../users/users.errors.js';
import { DeviceScopeService } from '../access/device-scope.service.js';
import { InvalidShareInvitationError, ShareNotFoundError } from '../sharing.errors.js';
import { HeldSharesService } from './held-shares.service.js';
import { HeldSharePageDto, toHeldSharePageDto } from './share-answers.dto.js';
import { SharePreviewService } from './share-preview.service.js';
import { AcceptShareDto } from './shares.dto.js';

@RateLimit('device')
@ApiTags('Sharing')
@Controller('shares')
export class HeldSharesController {
  constructor(
    private readonly shares: HeldSharesService,
    private readonly previews: SharePreviewService,
  ) {}

  /** What others share with me, also while it is closed or suspended, with when it opens next; oldest first. */
  @Get()
  @Authorize()
  @Cached({ category: 'users', tags: (userId) => [`account:${userId}`], scope: DeviceScopeService })
  @Refuses(InvalidCursorError)
  async list(@CurrentUser() { userId }: Principal, @Query() page: PageQueryDto): Promise<HeldSharePageDto> {
    return toHeldSharePageDto(await this.shares.list(userId, page), await this.previews.now());
  }

  /**
   * Accept a share by the link that was mailed to the address of my account, and with it everything else that waits for
   * this address. 422 `invalid_share_invitation` when it was used, has ended, or is for another address.
   */
  @Post('accept')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize()
  @Audit('share_accepted')
  @Idempotent()
  @Refuses(InvalidShareInvitationError, AccountCannotActError)
  async accept(@CurrentUser() { userId }: Principal, @Body() { token }: AcceptShareDto): Promise<void> {
    await this.shares.accept(userId, token);
  }

  /** Leave: give a share back that I hold. Those that I gave by it end, too. */
  @Delete(':shareId')
  @Vital()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize()
  @Audit('share_left')
  @Refuses(ShareNotFoundError)
  async leave(@CurrentUser() { userId }: Principal, @Param('shareId') shareId: string): Promise<void> {
    await this.shares.leave(userId, shareId);
  }
}
