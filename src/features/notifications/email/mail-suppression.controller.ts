import { Controller, Delete, Get, HttpCode } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { MailSuppressionDto, toMailSuppressionDto } from './mail-suppression.dto.js';
import { MailSuppressionsService } from './mail-suppressions.service.js';

@ApiTags('Notifications')
@Controller('notifications/mail-suppression')
export class MailSuppressionController {
  constructor(private readonly suppressions: MailSuppressionsService) {}

  /** Whether notifications are mailed to my address, or why not: the provider of mail reports what does not arrive. */
  @Get()
  @Authorize()
  async get(@CurrentUser() { userId }: Principal): Promise<MailSuppressionDto> {
    return toMailSuppressionDto((await this.suppressions.of([userId])).get(userId));
  }

  /** Have notifications mailed to my address again: the mailbox is back. Where a mail bounces once more, they end once more. */
  @Delete()
  @Authorize()
  @Audit('mail_suppression_lifted')
  @RateLimit('mail_suppressions')
  @HttpCode(204)
  async lift(@CurrentUser() { userId }: Principal): Promise<void> {
    await this.suppressions.lift(userId);
  }
}
