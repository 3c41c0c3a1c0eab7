import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import type { ClientInfo } from '../../auth/auth.types.js';
import { Client } from '../../auth/client-info.decorator.js';
import {
  PushServicesDto,
  PushSubscriptionDto,
  PushSubscriptionListDto,
  RegisterPushSubscriptionDto,
  toPushServicesDto,
  toPushSubscriptionDto,
  toPushSubscriptionListDto,
  toPushTarget,
} from './push-subscriptions.dto.js';
import {
  InvalidPushEndpointError,
  PushServiceNotSetUpError,
  PushSubscriptionNotFoundError,
} from './push-subscriptions.errors.js';
import { PushSubscriptionsService } from './push-subscriptions.service.js';

@ApiTags('Notifications')
@Controller('notifications')
export class PushSubscriptionsController {
  constructor(private readonly subscriptions: PushSubscriptionsService) {}

  /** Over what apps and browsers can be pushed to here, and the key with which browsers subscribe. */
  @Get('push/services')
  @Authorize()
  services(): PushServicesDto {
    return toPushServicesDto(this.subscriptions.available());
  }

  /** Where I am pushed to, oldest first; 20 at most. Those of sessions that ended are not among them. */
  @Get('push/subscriptions')
  @Authorize()
  async list(@CurrentUser() { userId, sessionId }: Principal): Promise<PushSubscriptionListDto> {
    return toPushSubscriptionListDto(await this.subscriptions.list(userId), sessionId);
  }

  /**
   * Have notifications pushed to this browser or app, for as long as this session lasts. Register whenever the app starts: the same
   * target again is the same subscription, also from a new session. A session has one of each service, and a person 20: the next
   * takes the place of that whose session was seen longest ago. A target that another account has registered moves to this one.
   */
  @Post('push/subscriptions')
  @Authorize()
  @Audit('push_subscription_registered')
  @Idempotent()
  @HttpCode(200)
  @Refuses(PushServiceNotSetUpError, InvalidPushEndpointError)
  async register(
    @CurrentUser() principal: Principal,
    @Body() body: RegisterPushSubscriptionDto,
    @Client() { userAgent }: ClientInfo,
  ): Promise<PushSubscriptionDto> {
    const registered = await this.subscriptions.register(principal, toPushTarget(body), userAgent);
    return toPushSubscriptionDto(registered, principal.sessionId);
  }

  /** Push nothing more to a browser or app of mine. */
  @Delete('push/subscriptions/:subscriptionId')
  @Authorize()
  @Audit('push_subscription_removed')
  @HttpCode(204)
  @Refuses(PushSubscriptionNotFoundError)
  async remove(@CurrentUser() { userId }: Principal, @Param('subscriptionId') id: string): Promise<void> {
    await this.subscriptions.remove(userId, id);
  }
}
