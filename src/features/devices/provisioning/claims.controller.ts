import { Body, Controller, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { SecretAnswer } from '../../../platform/http/secret-answer.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { AccountCannotActError, UnlockRestrictedError } from '../../users/users.errors.js';
import { DeviceNotFoundError, TooManyDevicesError } from '../devices.errors.js';
import { ClaimDeviceDto, ClaimedDeviceDto, toClaimedDeviceDto } from './claims.dto.js';
import { ClaimsService } from './claims.service.js';
import { InvalidClaimCodeError } from './provisioning.errors.js';

@ApiTags('Devices')
@Controller('devices')
export class ClaimsController {
  constructor(private readonly claims: ClaimsService) {}

  /**
   * Claim a device by the code that came with it: it is mine from then on, and may log in with the token that it was made with.
   * 422 `invalid_claim_code` for a code that is wrong, used, or for another account. 403 `unlock_restricted` while my account unlocks
   * no door, where that token was revoked and the answer would have an activation code: the claim code stays good.
   */
  @Post('claim')
  @Authorize()
  @Audit('device_claimed')
  @SecretAnswer()
  @Idempotent()
  @RateLimit('claim', 'claim_address')
  @Refuses(
    InvalidClaimCodeError,
    UnlockRestrictedError,
    TooManyDevicesError,
    AccountCannotActError,
    DeviceNotFoundError,
  )
  async claim(
    @CurrentUser() { userId }: Principal,
    @Body() request: ClaimDeviceDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClaimedDeviceDto> {
    const claimed = await this.claims.claim(userId, request);
    void reply.header('Location', `/api/v1/devices/${claimed.device.id}`);
    return toClaimedDeviceDto(claimed);
  }
}
