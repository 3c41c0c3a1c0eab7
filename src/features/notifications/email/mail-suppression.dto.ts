import { ApiProperty } from '@nestjs/swagger';
import { MAIL_SUPPRESSION_REASONS, type MailSuppressionReason } from '../notifications.types.js';
import type { MailSuppressionNotice } from './mail-suppressions.service.js';

/** Whether notifications are mailed to my address. */
export class MailSuppressionDto {
  /**
   * True: none are, whatever I want of them. Mails that I ask for, as for a new password, are sent all the same.
   * @example true
   */
  suppressed!: boolean;

  /** `bounced`: there is no such mailbox. `spam_report` and `unsubscribed`: this is what I told my provider of mail. */
  @ApiProperty({ type: String, enum: [...MAIL_SUPPRESSION_REASONS, null], nullable: true, example: 'bounced' })
  reason!: MailSuppressionReason | null;

  /**
   * When that happened.
   * @example 2026-12-06T08:00:00.000Z
   */
  reportedAt!: string | null;
}

export function toMailSuppressionDto(notice: MailSuppressionNotice | undefined): Readonly<MailSuppressionDto> {
  return {
    suppressed: notice !== undefined,
    reason: notice?.reason ?? null,
    reportedAt: notice?.reportedAt.toISOString() ?? null,
  };
}
