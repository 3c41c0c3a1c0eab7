import type { NewEvent } from '../../src/contracts/events.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import type { InsertedAccount } from './accounts.fixture.js';
import { MailServer } from './mail-server.js';
import type { PageBody } from './organizations.fixture.js';
import { type Door, SharingFixture } from './sharing.fixture.js';
import { Sql } from './sql.js';
import { TestApp } from './test-app.js';
import { eventually } from './wait.js';

/** What a device reports. */
export type Fact = Pick<NewEvent, 'type' | 'payload'>;
export const FORCED: Fact = { type: 'door_status_changed', payload: { doorState: 'forced_open' } };
export const LOW: Fact = { type: 'low_battery', payload: { battery: 7 } };
export const SILENT: Fact = { type: 'device_disconnected', payload: { link: 'mqtt', boot: 'b', reason: 'silence' } };

export interface NotificationBody {
  readonly id: string;
  readonly kind: string;
  readonly isUrgent: boolean;
  readonly deviceId: string | null;
  readonly subjectId: string | null;
  readonly values: Record<string, unknown>;
  readonly occurrences: number;
  readonly lastAt: string;
  readonly readAt: string | null;
  readonly archivedAt: string | null;
}

export interface SentBody {
  readonly channel: string;
  readonly state: string;
  readonly reason: string | null;
  readonly messageId: string;
  readonly attempts: number;
  readonly lastError: string | null;
}

/** An application that mails to a server of its own, and people who are told things. */
export class NotificationsFixture extends SharingFixture {
  readonly mails: MailServer;

  protected constructor(application: TestApp, sql: Sql, mails: MailServer) {
    super(application, sql);
    this.mails = mails;
  }

  static override async start(env: Readonly<Record<string, string>> = {}): Promise<NotificationsFixture> {
    const mails = await MailServer.start();
    const application = await TestApp.start({ env: { RATE_LIMIT_SCALE: '1000', SMTP_URL: mails.url, ...env } });
    return new NotificationsFixture(application, await Sql.open(application.databaseUrl), mails);
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.mails.stop();
  }

  /** Appends what a device reported, as the application does. */
  async report({ id, ada }: Pick<Door, 'id' | 'ada'>, ...facts: readonly Fact[]): Promise<void> {
    await this.append(
      facts.map(
        (fact) => ({ ...fact, source: 'mqtt', actor: `device:${id}`, deviceId: id, userId: ada.id }) as NewEvent,
      ),
    );
  }

  async append(events: readonly NewEvent[]): Promise<void> {
    await this.application.get(Transactions).run(() => this.application.get(EventLog).append(events));
  }

  async listOf(who: InsertedAccount, query = ''): Promise<NotificationBody[]> {
    return (await this.request<PageBody<NotificationBody>>(who, 'GET', `/notifications${query}`)).body.items;
  }

  /** Waits for one of a kind. */
  told(who: InsertedAccount, kind: string): Promise<NotificationBody> {
    return eventually(`told of ${kind}`, async () => (await this.listOf(who)).find((one) => one.kind === kind));
  }

  async sentOf(who: InsertedAccount, id: string): Promise<SentBody[]> {
    return (await this.request<{ items: SentBody[] }>(who, 'GET', `/notifications/${id}/deliveries`)).body.items;
  }

  /** Waits until a notification has no delivery that is pending, or that fits. */
  settled(
    who: InsertedAccount,
    id: string,
    fits = ({ state }: SentBody): boolean => state !== 'PENDING',
  ): Promise<SentBody[]> {
    return eventually('its deliveries are settled', async () => {
      const sent = await this.sentOf(who, id);
      return sent.length > 0 && sent.every(fits) ? sent : null;
    });
  }

  /** Mails that tell this person something. */
  mailsTo({ email }: Pick<InsertedAccount, 'email'>): MailServer['mails'] {
    return this.mails.mails.filter(({ to, head }) => to === email && head.includes('List-Unsubscribe'));
  }

  async choose(who: InsertedAccount, kind: string, channel: string, enabled: boolean | null): Promise<void> {
    const body = { items: [{ kind, channel, enabled }] };
    const { status } = await this.request(who, 'PATCH', '/notifications/preferences', body);
    if (status !== 200) {
      throw new Error(`Choosing failed with ${String(status)}`);
    }
  }

  /** Lets time pass: digests and what failed are due now. What is under way, by its lease, stays alone. */
  async hurry(): Promise<void> {
    await this.sql.rows(
      `UPDATE notification_messages SET next_attempt_at = now()
       WHERE state = 'PENDING' AND next_attempt_at > now() + interval '3 seconds'`,
    );
  }
}
