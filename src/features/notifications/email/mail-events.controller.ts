import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Public } from '../../../platform/auth/authorize.decorator.js';
import { RawJson } from '../../../platform/http/bodies/raw-json-body.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { InvalidRequestError } from '../../../platform/http/validation/validation.js';
import { ProvenBy, RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { PayloadRefusedError, readPayload } from '../../../shared/json-payload.js';
import { InvalidMailEventsError, MailEventsNotSetUpError } from '../notifications.errors.js';
import { MAIL_REPORT_PROOF, MailEventsService, reportIn } from './mail-events.service.js';

const BODY_LIMIT_BYTES = 1_048_576;
const MAX_EVENTS = 5_000;

@ApiTags('Notifications')
@Controller('notifications/mail-events')
export class MailEventsController {
  constructor(private readonly events: MailEventsService) {}

  /**
   * For the provider of mail: what became of mails, as the signed event webhook of SendGrid posts it. An address that bounces, or whose
   * person calls the mails spam, gets no more notifications. Up to 1 MiB and 5,000 events; other events are taken and dropped.
   */
  @Post()
  @Public()
  @Audit('mail_events_heard')
  @HttpCode(204)
  @RawJson(BODY_LIMIT_BYTES)
  @ProvenBy(MAIL_REPORT_PROOF)
  @RateLimit('mail_reports')
  @ApiHeader({
    name: 'X-Twilio-Email-Event-Webhook-Signature',
    required: true,
    description: 'ECDSA (P-256, SHA-256) over the timestamp and the body as it is, in Base64.',
    schema: { type: 'string', example: 'MEUCIQDf0l1oFZ3cJ8e0o1n9bA==' },
  })
  @ApiHeader({
    name: 'X-Twilio-Email-Event-Webhook-Timestamp',
    required: true,
    description: 'Seconds since 1970. One older than 25 hours is refused.',
    schema: { type: 'string', example: '1796540400' },
  })
  @ApiBody({
    schema: {
      type: 'array',
      maxItems: MAX_EVENTS,
      items: { type: 'object', additionalProperties: true },
      example: [
        {
          email: 'ada@example.com',
          timestamp: 1796540400,
          'smtp-id': '<019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c62@doors.example.com>',
          event: 'bounce',
          type: 'bounce',
          status: '5.1.1',
          reason: '550 5.1.1 no such user',
          sg_event_id: 'c2dfZXZlbnRfaWQ',
        },
      ],
    },
  })
  @Refuses(MailEventsNotSetUpError, InvalidMailEventsError)
  async hear(@Req() request: FastifyRequest): Promise<void> {
    const report = reportIn(request);
    this.events.verify(report);
    await this.events.hear(listIn(report.body));
  }
}

function listIn(bytes: Buffer): readonly unknown[] {
  try {
    const list = readPayload(bytes, 'replaced');
    if (Array.isArray(list) && list.length <= MAX_EVENTS) {
      return list;
    }
  } catch (error) {
    if (!(error instanceof PayloadRefusedError)) {
      throw error;
    }
  }
  throw new InvalidRequestError([
    { detail: `the body must be JSON: a list of up to ${String(MAX_EVENTS)} events`, pointer: '' },
  ]);
}
