import { createPublicKey, type KeyObject } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { type ProvingRequest, RequestProofRegistry } from '../../../platform/rate-limit/request-proof-registry.js';
import { Clock } from '../../../shared/clock.js';
import { InvalidMailEventsError, MailEventsNotSetUpError } from '../notifications.errors.js';
import { faultOfReport, type SignedReport } from './mail-event-signature.js';
import { type MailEvent, mailEventsIn } from './mail-events.js';
import { MailReportsRepository, type MessageReport } from './mail-reports.repository.js';
import { MailSuppressionsService } from './mail-suppressions.service.js';

/** Names the reader for `@ProvenBy`. */
export const MAIL_REPORT_PROOF = 'mail_report';
const SIGNATURE = 'x-twilio-email-event-webhook-signature';
const TIMESTAMP = 'x-twilio-email-event-webhook-timestamp';

/** Hears what the provider of mail says of mails that it took. The same may be said often: it is heard once. */
@Injectable()
export class MailEventsService implements OnModuleInit {
  readonly #key: KeyObject | null;

  constructor(
    private readonly reports: MailReportsRepository,
    private readonly suppressions: MailSuppressionsService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly clock: Clock,
    private readonly proofs: RequestProofRegistry,
    { mail: { eventsPublicKey: key } }: AppConfig,
  ) {
    this.#key = key && createPublicKey({ key, format: 'der', type: 'spki' });
  }

  /** The provider's reports come from few addresses, and are many after a burst: they are limited by what signs them. */
  onModuleInit(): void {
    this.proofs.register(MAIL_REPORT_PROOF, (request) =>
      this.faultOf(reportIn(request)) === null ? { key: 'mail' } : null,
    );
  }

  /** Before anything of it is read. @throws MailEventsNotSetUpError, InvalidMailEventsError */
  verify(report: SignedReport): void {
    if (this.#key === null) {
      throw new MailEventsNotSetUpError();
    }
    const fault = this.faultOf(report);
    if (fault !== null) {
      throw new InvalidMailEventsError(fault);
    }
  }

  /** @param list of a report that is verified */
  async hear(list: readonly unknown[]): Promise<void> {
    const events = mailEventsIn(list);
    if (events.length === 0) {
      return;
    }
    await this.transactions.run(async () => {
      const changed = await this.reports.settle(outcomesOf(events));
      const suppressed = await this.suppressions.add(events);
      const heard = { action: 'mail_events_heard', entity: { type: 'notification', id: null } } as const;
      await this.audit.record({ ...heard, after: { events: events.length, changed } });
      for (const { userId, reason } of suppressed) {
        await this.audit.record({
          action: 'mail_suppressed',
          entity: { type: 'user', id: userId },
          after: { reason },
        });
      }
    });
  }

  private faultOf(report: SignedReport): string | null {
    return this.#key === null ? 'No reports are taken.' : faultOfReport(report, this.#key, this.clock.now());
  }
}

/** What came, as it was signed. */
export function reportIn({ body, headers }: Pick<ProvingRequest, 'body' | 'headers'>): SignedReport {
  const text = (name: string): string | undefined => [headers[name]].flat()[0];
  return {
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    signature: text(SIGNATURE),
    timestamp: text(TIMESTAMP),
  };
}

/** Of each message the last word: what bounced is not delivered, in whatever order it is told. */
function outcomesOf(events: readonly MailEvent[]): MessageReport[] {
  const reports = new Map<string, MessageReport>();
  for (const { messageId, outcome } of events) {
    if (messageId !== null && outcome !== null && (outcome.state === 'FAILED' || !reports.has(messageId))) {
      reports.set(messageId, { messageId, outcome });
    }
  }
  return [...reports.values()];
}
