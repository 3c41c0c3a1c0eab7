import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { WebPushClient } from '../../src/platform/push/web-push-client.js';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import { newId } from '../../src/shared/ids.js';
import type { InsertedAccount } from './accounts.fixture.js';
import { ApnsServer } from './apns-server.js';
import { GoogleServer, json } from './google-server.js';
import { MailServer } from './mail-server.js';
import { NotificationsFixture } from './notifications.fixture.js';
import type { AnswerOrProblem } from './organizations.fixture.js';
import { PushService } from './push-service.js';
import { Sql } from './sql.js';
import { TestApp } from './test-app.js';

export interface SubscriptionBody {
  readonly id: string;
  readonly service: string;
  readonly current: boolean;
  readonly userAgent: string | null;
  readonly ending: string;
  readonly lastUsedAt: string | null;
}

export const TAKEN = (response: ServerResponse): void => {
  response.writeHead(201).end();
};
export const GONE = (response: ServerResponse): void => {
  response.writeHead(410).end();
};
export const BUSY = (response: ServerResponse): void => {
  response.writeHead(503).end();
};

/** Another token of each service at each call. */
export const freshToken = {
  fcm: (): string => `${randomBytes(16).toString('hex')}:APA91b`,
  apns: (): string => randomBytes(32).toString('hex'),
};

/** People with browsers and phones, and push services of the test’s own. */
export class PushPeopleFixture extends NotificationsFixture {
  readonly #browsers: PushService[] = [];

  private constructor(
    application: TestApp,
    sql: Sql,
    mails: MailServer,
    readonly google: GoogleServer,
    readonly apple: ApnsServer,
  ) {
    super(application, sql, mails);
  }

  static override async start(env: Readonly<Record<string, string>> = {}): Promise<PushPeopleFixture> {
    const [mails, google, apple] = await Promise.all([MailServer.start(), GoogleServer.start(), ApnsServer.start()]);
    google.giveTokens();
    google.fcm.answer(json(200, { name: 'projects/doors-1/messages/1' }));
    const application = await TestApp.start({
      env: {
        SMTP_URL: mails.url,
        OUTBOUND_ALLOWED_NETWORKS: '127.0.0.1/32',
        FCM_SERVICE_ACCOUNT: google.serviceAccount,
        FCM_URL: google.fcm.url,
        APNS_PRIVATE_KEY: ApnsServer.keyFile,
        APNS_KEY_ID: 'ABC123DEFG',
        APNS_TEAM_ID: 'DEF123GHIJ',
        APNS_TOPIC: 'com.example.doors',
        APNS_URL: apple.url,
        ...env,
      },
    });
    return new PushPeopleFixture(application, await Sql.open(application.databaseUrl), mails, google, apple);
  }

  override async stop(): Promise<void> {
    await super.stop();
    this.#browsers.forEach(({ server }) => {
      server.stop();
    });
    this.google.stop();
    await this.apple.stop();
  }

  /** A browser whose push service takes what it is given. */
  async browser(): Promise<PushService> {
    const browser = await PushService.start(this.application.get(WebPushClient).publicKey ?? '');
    browser.server.answer(TAKEN);
    this.#browsers.push(browser);
    return browser;
  }

  register(
    who: Pick<InsertedAccount, 'accessToken'>,
    body: object,
    headers: Record<string, string> = {},
  ): Promise<AnswerOrProblem<SubscriptionBody>> {
    return this.request(
      { id: '', email: '', sessionId: '', ...who },
      'POST',
      '/notifications/push/subscriptions',
      body,
      headers,
    );
  }

  /** @returns the id */
  async subscribe(who: Pick<InsertedAccount, 'accessToken'>, body: object): Promise<string> {
    const { status, body: answer } = await this.register(who, body);
    if (status !== 200) {
      throw new Error(`Registering failed: ${JSON.stringify(answer)}`);
    }
    return answer.id;
  }

  async subscriptionsOf(who: InsertedAccount): Promise<SubscriptionBody[]> {
    return (await this.request<{ items: SubscriptionBody[] }>(who, 'GET', '/notifications/push/subscriptions')).body
      .items;
  }

  /** The same person in another session. */
  async inAnotherSession(who: InsertedAccount): Promise<InsertedAccount> {
    const sessionId = newId();
    await this.sql.rows(
      `INSERT INTO sessions (id, user_id, refresh_hash, expires_at) VALUES ($1, $2, $3, now() + interval '1 hour')`,
      [sessionId, who.id, randomBytes(32)],
    );
    const claims = { userId: who.id, sessionId, role: 'USER' } as const;
    return { ...who, sessionId, accessToken: (await this.application.get(AccessTokenFactory).sign(claims)).token };
  }

  /** Wants pushes, and nothing else. */
  async wantPushes(who: Pick<InsertedAccount, 'id'>): Promise<void> {
    await this.sql.rows(
      `INSERT INTO user_preferences (user_id, notification_channels) VALUES ($1, '{in_app,push}')
       ON CONFLICT (user_id) DO UPDATE SET notification_channels = EXCLUDED.notification_channels`,
      [who.id],
    );
  }
}

/** What a browser sends: `PushSubscription.toJSON()` with the service. */
export function toBody({ subscription: { endpoint, p256dh, auth } }: PushService): {
  service: 'web_push';
  endpoint: string;
  expirationTime: null;
  keys: { p256dh: string; auth: string };
} {
  return { service: 'web_push', endpoint, expirationTime: null, keys: { p256dh, auth } };
}
