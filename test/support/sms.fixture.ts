import type { InsertedAccount } from './accounts.fixture.js';
import { MailServer } from './mail-server.js';
import { NotificationsFixture } from './notifications.fixture.js';
import { Sql } from './sql.js';
import { TestApp } from './test-app.js';
import { type TakenSms, twilioSignature, TwilioServer } from './twilio-server.js';

export interface PhoneBody {
  readonly number: string | null;
  readonly verifiedAt: string | null;
  readonly stoppedAt: string | null;
  readonly stopReason: string | null;
  readonly waiting: { number: string; expiresAt: string; triesLeft: number; resendAt: string } | null;
  readonly code?: string;
}

let lastNumber = 15_110_000_000;

/** One that no other test has. */
export function someNumber(): string {
  lastNumber += 1;
  return `+49${String(lastNumber)}`;
}

/** An application that sends text messages by a server of its own. */
export class SmsFixture extends NotificationsFixture {
  private constructor(
    application: TestApp,
    sql: Sql,
    mails: MailServer,
    readonly twilio: TwilioServer,
  ) {
    super(application, sql, mails);
  }

  static override async start(env: Readonly<Record<string, string>> = {}): Promise<SmsFixture> {
    const [mails, twilio] = [await MailServer.start(), await TwilioServer.start()];
    const settings = { RATE_LIMIT_SCALE: '1000', SMTP_URL: mails.url, ...twilio.settings, ...env };
    const application = await TestApp.start({ env: settings });
    return new SmsFixture(application, await Sql.open(application.databaseUrl), mails, twilio);
  }

  override async stop(): Promise<void> {
    await super.stop();
    this.twilio.stop();
  }

  /** Nothing was sent yet. */
  async forget(): Promise<void> {
    await this.sql.rows('DELETE FROM sms_counts');
    await this.sql.rows('DELETE FROM sms_reservations');
    this.twilio.refusals.clear();
    this.twilio.taken.length = 0;
    this.twilio.asked = 0;
    this.twilio.hanging = 0;
  }

  name(who: InsertedAccount, number: string): Promise<{ status: number; body: PhoneBody }> {
    return this.request<PhoneBody>(who, 'PUT', '/notifications/phone', { number });
  }

  confirm(who: InsertedAccount, code: string): Promise<{ status: number; body: PhoneBody }> {
    return this.request<PhoneBody>(who, 'POST', '/notifications/phone/confirm', { code });
  }

  async phoneOf(who: InsertedAccount): Promise<PhoneBody> {
    return (await this.request<PhoneBody>(who, 'GET', '/notifications/phone')).body;
  }

  /** A number of theirs, confirmed. */
  async giveNumber(who: InsertedAccount, number = someNumber()): Promise<string> {
    const named = await this.name(who, number);
    const confirmed = await this.confirm(who, this.twilio.codeFor(number));
    if (named.status !== 200 || confirmed.status !== 200) {
      throw new Error(`Naming and confirming failed with ${String(named.status)} and ${String(confirmed.status)}`);
    }
    return number;
  }

  /** Twilio says what came of a message. */
  reportSms(sms: TakenSms, status: string, more: Readonly<Record<string, string>> = {}): Promise<Response> {
    const form = { MessageSid: sms.sid, MessageStatus: status, To: sms.to, AccountSid: 'AC1', ...more };
    return this.post(sms.callback, form, twilioSignature(sms.callback, form));
  }

  /** @param url as the sender knows it */
  post(url: string, form: Readonly<Record<string, string>>, signature: string | null): Promise<Response> {
    const { pathname, search } = new URL(url);
    return fetch(this.application.url + pathname + search, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: signature === null ? {} : { 'x-twilio-signature': signature },
    });
  }

  /** Segments of this month, by who or what they count for. */
  async segments(subject = 'segments'): Promise<number> {
    const [row] = await this.sql.rows<{ used: number }>('SELECT used FROM sms_counts WHERE subject = $1', [subject]);
    return row?.used ?? 0;
  }
}
