import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import type { FormMembers } from '../../../platform/http/bodies/form-body.js';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { type ProvingRequest, RequestProofRegistry } from '../../../platform/rate-limit/request-proof-registry.js';
import { isSignedByTwilio, statusCallbackFor } from '../../../platform/sms/twilio-signature.js';
import { isUuid } from '../../../shared/ids.js';
import { InvalidSmsReportError } from '../notifications.errors.js';
import { PhoneService } from './phone.service.js';
import { type ReportedMessage, SmsReportsRepository } from './sms-reports.repository.js';

/** Names the reader for `@ProvenBy`. */
export const SMS_REPORT_PROOF = 'sms_report';

/** What a status of Twilio says that ends a message; the others are on the way there. */
const FINAL: ReadonlyMap<string, 'DELIVERED' | 'FAILED'> = new Map([
  ['delivered', 'DELIVERED'],
  ['read', 'DELIVERED'],
  ['undelivered', 'FAILED'],
  ['failed', 'FAILED'],
  ['canceled', 'FAILED'],
]);
/** No such number, one that answered STOP, and ones that take no text messages. */
const GONE = [21211, 21610, 21614, 30005, 30006].map((code) => `twilio_${String(code)}`);
const MAX_ID = 200;

/** A report that the provider has signed. */
export interface SmsReport {
  readonly id: string;
  readonly form: FormMembers;
}

/** Hears from Twilio what came of text messages. */
@Injectable()
export class SmsReportsService implements OnModuleInit {
  readonly #reports: Counter<'outcome'>;

  constructor(
    private readonly reports: SmsReportsRepository,
    private readonly phones: PhoneService,
    private readonly proofs: RequestProofRegistry,
    private readonly config: AppConfig,
    metrics: Metrics,
  ) {
    this.#reports = metrics.counter(
      'mortise_sms_reports_total',
      'Reports of what came of text messages: `delivered`, `failed`, or `underway`',
      ['outcome'],
    );
  }

  /** The provider's reports come from few addresses, and are many after an alarm: they are limited by what signs them. */
  onModuleInit(): void {
    this.proofs.register(SMS_REPORT_PROOF, (request) => (this.read(request) ? { key: 'twilio' } : null));
  }

  /** Null where Twilio has not signed it for this installation. */
  read({ body, headers, query }: Pick<ProvingRequest, 'body' | 'headers' | 'query'>): SmsReport | null {
    const { twilio } = this.config.sms;
    const { id } = query as { id?: unknown };
    const signature = headers['x-twilio-signature'];
    if (!twilio?.statusCallback || typeof id !== 'string' || typeof signature !== 'string' || !isForm(body)) {
      return null;
    }
    const url = statusCallbackFor(twilio.statusCallback, id);
    return isSignedByTwilio(twilio.authToken(), { url, parameters: body, signature }) ? { id, form: body } : null;
  }

  /** However often, and in whatever order. @throws InvalidSmsReportError */
  async report(report: SmsReport | null): Promise<void> {
    if (!report) {
      throw new InvalidSmsReportError();
    }
    const { id, form } = report;
    const end = endOf(form);
    this.#reports.inc({ outcome: end?.state === 'DELIVERED' ? 'delivered' : end ? 'failed' : 'underway' });
    if (!end) {
      return;
    }
    if (isUuid(id)) {
      await this.reports.report({ id, ...end });
      if (end.error !== null && GONE.includes(end.error)) {
        await this.phones.stop(form.To ?? '', id, end.error);
      }
    }
  }
}

/** Null: it is on its way. */
function endOf({
  MessageStatus = '',
  MessageSid = '',
  ErrorCode = '',
}: FormMembers): Omit<ReportedMessage, 'id'> | null {
  const state = FINAL.get(MessageStatus);
  if (state === undefined) {
    return null;
  }
  const code = /^\d{5}$/.test(ErrorCode) ? ErrorCode : 'unknown';
  return { state, providerId: MessageSid.slice(0, MAX_ID), error: state === 'FAILED' ? `twilio_${code}` : null };
}

function isForm(body: unknown): body is FormMembers {
  return typeof body === 'object' && body !== null && Object.values(body).every((value) => typeof value === 'string');
}
