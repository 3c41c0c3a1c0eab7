import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ChangesNothing } from '../../../platform/audit/audit.decorator.js';
import { Public } from '../../../platform/auth/authorize.decorator.js';
import { Form } from '../../../platform/http/bodies/form-body.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { ProvenBy, RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidSmsReportError } from '../notifications.errors.js';
import { SMS_REPORT_PROOF, SmsReportsService } from './sms-reports.service.js';

@ApiTags('Notifications')
@Controller('notifications/sms-status')
export class SmsReportsController {
  constructor(private readonly reports: SmsReportsService) {}

  /**
   * For Twilio: what came of a text message. It is heard with `X-Twilio-Signature` of this installation's account alone, may come
   * again and in any order, and is kept with the message; a number that takes nothing any more is audited.
   */
  @Post()
  @Public()
  @ChangesNothing()
  @HttpCode(204)
  @Form()
  @ProvenBy(SMS_REPORT_PROOF)
  @RateLimit('sms_reports')
  @ApiQuery({ name: 'id', type: String, required: false, example: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c62' })
  @ApiHeader({
    name: 'X-Twilio-Signature',
    required: false,
    schema: { type: 'string', example: '0/KCTR6DLpKmkAf8muzZqo1nDgQ=' },
  })
  @ApiBody({
    required: false,
    schema: {
      type: 'object',
      properties: {
        MessageSid: { type: 'string', example: 'SM0123456789abcdef0123456789abcdef' },
        MessageStatus: { type: 'string', example: 'delivered' },
        ErrorCode: { type: 'string', example: '30003' },
        To: { type: 'string', example: '+4915112345678' },
      },
    },
  })
  @Refuses(InvalidSmsReportError)
  async report(@Req() request: FastifyRequest): Promise<void> {
    await this.reports.report(this.reports.read(request));
  }
}
