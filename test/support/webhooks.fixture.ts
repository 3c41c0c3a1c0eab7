import type { InsertedAccount } from './accounts.fixture.js';
import type { AnswerOrProblem, PageBody } from './organizations.fixture.js';
import { SharingFixture } from './sharing.fixture.js';
import { Sql } from './sql.js';
import { TestApp } from './test-app.js';
import { eventually } from './wait.js';

export interface WebhookBody {
  readonly id: string;
  readonly url: string;
  readonly state: string;
  readonly disabledReason: string | null;
  readonly eventTypes: string[];
  readonly deviceIds: string[];
  readonly failures: number;
  readonly version: number;
  readonly secret: string;
}

export interface DeliveryBody {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly sequence: number | null;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly body: string;
}

/** An application that posts to this machine, and people who have webhooks. */
export class WebhooksFixture extends SharingFixture {
  static override async start(env: Readonly<Record<string, string>> = {}): Promise<WebhooksFixture> {
    const application = await TestApp.start({
      env: { RATE_LIMIT_SCALE: '1000', OUTBOUND_ALLOWED_NETWORKS: '127.0.0.0/8', ...env },
    });
    return new WebhooksFixture(application, await Sql.open(application.databaseUrl));
  }

  create(
    who: InsertedAccount,
    body: object,
    headers: Record<string, string> = {},
  ): Promise<AnswerOrProblem<WebhookBody>> {
    return this.request<WebhookBody>(who, 'POST', '/webhooks', body, headers);
  }

  /** @throws where it was refused */
  async webhook(who: InsertedAccount, body: object): Promise<WebhookBody> {
    const answer = await this.create(who, body);
    if (answer.status !== 201) {
      throw new Error(`Making a webhook failed: ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  async deliveriesOf(who: InsertedAccount, webhookId: string, query = ''): Promise<DeliveryBody[]> {
    const path = `/webhooks/${webhookId}/deliveries${query}`;
    return (await this.request<PageBody<DeliveryBody>>(who, 'GET', path)).body.items;
  }

  /** Waits until the one delivery of a webhook that it finds has ended. */
  ended(who: InsertedAccount, webhookId: string, deliveryId: string): Promise<DeliveryBody> {
    return eventually('the delivery ended', async () => {
      const path = `/webhooks/${webhookId}/deliveries/${deliveryId}`;
      const { body } = await this.request<DeliveryBody>(who, 'GET', path);
      return body.state === 'PENDING' ? null : body;
    });
  }

  hurry(): Promise<void> {
    return hurryWebhooks(this.sql);
  }
}

/** Lets what failed be tried again now. What is under way, by its lease, stays alone. */
export async function hurryWebhooks(sql: Sql): Promise<void> {
  await sql.rows(
    `UPDATE webhook_deliveries SET next_attempt_at = now()
     WHERE state = 'PENDING' AND next_attempt_at > now() + interval '3 seconds' AND next_attempt_at < 'infinity'`,
  );
  await sql.rows('UPDATE webhook_endpoints SET paused_until = NULL WHERE paused_until IS NOT NULL');
}
