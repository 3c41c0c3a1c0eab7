import { Body, Controller, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Public } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { OneClick } from '../../../platform/http/bodies/one-click-body.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { InvalidUnsubscribeTokenError } from '../notifications.errors.js';
import {
  NotificationPreferencesDto,
  toChangedChoices,
  toNotificationPreferencesDto,
  UnsubscribeQueryDto,
  UpdateNotificationPreferencesDto,
} from './notification-preferences.dto.js';
import { NotificationPreferencesService } from './notification-preferences.service.js';

@ApiTags('Notifications')
@Controller('notifications')
export class NotificationPreferencesController {
  constructor(private readonly preferences: NotificationPreferencesService) {}

  /**
   * What I want to be told of, and over which channels: each kind over each channel. Quiet hours, and what I want of all kinds, are
   * among my preferences.
   */
  @Get('preferences')
  @Authorize()
  async get(@CurrentUser() { userId }: Principal): Promise<NotificationPreferencesDto> {
    return toNotificationPreferencesDto(await this.preferences.get(userId));
  }

  /** Change what I want of single kinds over single channels. */
  @Patch('preferences')
  @Authorize()
  @Audit('notification_preferences_updated')
  async change(
    @CurrentUser() { userId }: Principal,
    @Body() body: UpdateNotificationPreferencesDto,
  ): Promise<NotificationPreferencesDto> {
    return toNotificationPreferencesDto(await this.preferences.change(userId, toChangedChoices(body)));
  }

  /**
   * For mail programs: ends mails of the kinds that a mail has (RFC 8058). Its URL is in `List-Unsubscribe` of the mail; the same URL
   * may be posted to again.
   */
  @Post('unsubscribe')
  @Public()
  @Audit('notifications_unsubscribed')
  @HttpCode(204)
  @OneClick()
  @Refuses(InvalidUnsubscribeTokenError)
  async unsubscribe(@Query() { token }: UnsubscribeQueryDto): Promise<void> {
    await this.preferences.unsubscribe(token);
  }
}
