import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { judgeUrl } from '../../../platform/outbound/outbound-address.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid, newId } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import {
  InvalidWebhookUrlError,
  MAX_WEBHOOKS_OF_ORGANIZATION,
  MAX_WEBHOOKS_OF_PERSON,
  TooManyWebhooksError,
  WebhookChangedError,
  WebhookNotFoundError,
} from '../webhooks.errors.js';
import type { WebhookEndpoint, WebhookSettings } from '../webhooks.types.js';
import { WebhookAuthorityService } from './webhook-authority.service.js';
import { secretText, WebhookSecretsService } from './webhook-secrets.service.js';
import { WebhooksRepository } from './webhooks.repository.js';

/** What is changed of an endpoint. */
export interface WebhookChanges extends Partial<WebhookSettings> {
  readonly enabled?: boolean;
}

/** An endpoint with its secret, which is shown when it is made, and when it is replaced. */
export interface EndpointWithSecret {
  readonly endpoint: WebhookEndpoint;
  readonly secret: string;
}

/** Endpoints, as those who manage them see and change them. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly endpoints: WebhooksRepository,
    private readonly authority: WebhookAuthorityService,
    private readonly secrets: WebhookSecretsService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly idempotency: IdempotencyService,
    private readonly config: AppConfig,
  ) {}

  /**
   * A repeat under the same idempotency key returns the first one, with its secret.
   * @param organizationId whose it is to be; left out: the person's own
   * @throws InvalidWebhookUrlError, TooManyWebhooksError, ResourceNotFoundError, OrganizationNotFoundError, ForbiddenError
   */
  create(userId: string, organizationId: string | undefined, asked: WebhookSettings): Promise<EndpointWithSecret> {
    const settings = { ...asked, url: this.judged(asked.url) };
    return this.transactions.run(async () => {
      const { id } = await this.idempotency.once(async () => {
        const owner = await this.authority.ownerFor(userId, organizationId);
        const limit = owner.userId === null ? MAX_WEBHOOKS_OF_ORGANIZATION : MAX_WEBHOOKS_OF_PERSON;
        if ((await this.endpoints.count(owner)) >= limit) {
          throw new TooManyWebhooksError(limit);
        }
        await this.authority.requireDevices(owner, settings.deviceIds);
        const id = newId();
        await this.endpoints.add(id, owner, settings, this.secrets.seal(this.secrets.make(), id, 'secret'));
        await this.audit.record({ entity: { type: 'webhook', id }, after: { ...owner, ...toRecord(settings) } });
        return id;
      });
      return { endpoint: await this.get(userId, id), secret: await this.secretOf(id) };
    });
  }

  /** Oldest first. @throws InvalidCursorError, OrganizationNotFoundError, ForbiddenError */
  async list(
    userId: string,
    { organizationId, limit, cursor }: { organizationId?: string; limit: number; cursor?: string },
  ): Promise<Page<WebhookEndpoint>> {
    const owner = await this.authority.ownerFor(userId, organizationId);
    return toPage(
      await this.endpoints.list(owner, limit, decodeCursor('webhooks', cursor, CREATION_PARTS)),
      limit,
      (endpoint) => endpoint,
      ({ createdAt, id }) => encodeCursor('webhooks', [createdAt.toISOString(), id]),
    );
  }

  /** @throws WebhookNotFoundError, ForbiddenError */
  async get(userId: string, id: string): Promise<WebhookEndpoint> {
    return this.required(userId, id, isUuid(id) ? await this.endpoints.find(id) : null);
  }

  /**
   * Enabled again, it is told of what happens from then on.
   * @param versions one of which it must have; any when they are left out
   * @throws WebhookNotFoundError, WebhookChangedError, InvalidWebhookUrlError, ResourceNotFoundError, ForbiddenError
   */
  update(
    userId: string,
    id: string,
    { enabled, ...changes }: WebhookChanges,
    versions?: readonly number[],
  ): Promise<WebhookEndpoint> {
    return this.transactions.run(async () => {
      const before = await this.lock(userId, id, versions);
      const after = { ...settingsOf(before), ...changes };
      const url = changes.url === undefined ? before.url : this.judged(changes.url);
      await this.authority.requireDevices(before, changes.deviceIds ?? []);
      await this.endpoints.update(id, { ...after, url });
      if (url !== before.url) {
        await this.endpoints.hurry(id);
      }
      if (enabled === true && before.state === 'DISABLED') {
        await this.endpoints.enable(id);
      } else if (enabled === false) {
        await this.endpoints.disable(id, 'owner');
      }
      await this.audit.record({
        entity: { type: 'webhook', id },
        before: { ...toRecord(before), state: before.state },
        after: { ...toRecord({ ...after, url }), ...(enabled !== undefined && { enabled }) },
      });
      return this.get(userId, id);
    });
  }

  /** With what waits to be sent to it. @throws WebhookNotFoundError, WebhookChangedError, ForbiddenError */
  remove(userId: string, id: string, versions?: readonly number[]): Promise<void> {
    return this.transactions.run(async () => {
      const before = await this.lock(userId, id, versions);
      await this.endpoints.remove(id);
      await this.audit.record({ entity: { type: 'webhook', id }, before: toRecord(before) });
    });
  }

  /**
   * Gives it another secret; the one before signs as well for a while.
   * @throws WebhookNotFoundError, ForbiddenError
   */
  rotateSecret(userId: string, id: string, overlapMs: number): Promise<EndpointWithSecret> {
    return this.transactions.run(async () => {
      await this.idempotency.once(async () => {
        await this.lock(userId, id, undefined);
        const previous = await this.openSecret(id);
        const kept = overlapMs > 0 ? this.secrets.seal(previous, id, 'previous_secret') : null;
        await this.endpoints.rotate(id, this.secrets.seal(this.secrets.make(), id, 'secret'), kept, overlapMs);
        await this.audit.record({ entity: { type: 'webhook', id }, after: { overlapMs } });
        return id;
      });
      return { endpoint: await this.get(userId, id), secret: await this.secretOf(id) };
    });
  }

  private async lock(userId: string, id: string, versions: readonly number[] | undefined): Promise<WebhookEndpoint> {
    const found = await this.required(userId, id, isUuid(id) ? await this.endpoints.lock(id) : null);
    if (versions && !versions.includes(found.version)) {
      throw new WebhookChangedError();
    }
    return found;
  }

  private async required(userId: string, id: string, found: WebhookEndpoint | null): Promise<WebhookEndpoint> {
    if (!found) {
      throw new WebhookNotFoundError(id);
    }
    await this.authority.require(userId, found);
    return found;
  }

  /** In the one spelling that is called. */
  private judged(text: string): string {
    const url = judgeUrl(text, this.config.outbound.allowedNetworks);
    if ('fault' in url) {
      throw new InvalidWebhookUrlError(url.message);
    }
    return url.href;
  }

  private async secretOf(id: string): Promise<string> {
    return secretText(await this.openSecret(id));
  }

  private async openSecret(id: string): Promise<Buffer> {
    const sealed = await this.endpoints.findSecret(id);
    if (!sealed) {
      throw new WebhookNotFoundError(id);
    }
    return this.secrets.open(sealed, id, 'secret');
  }
}

function settingsOf({ url, description, eventTypes, deviceIds }: WebhookSettings): WebhookSettings {
  return { url, description, eventTypes, deviceIds };
}

/** For the audit trail: of the URL only where it leads, because the rest may be a secret. */
function toRecord({ url, description, eventTypes, deviceIds }: WebhookSettings): Record<string, unknown> {
  return { origin: new URL(url).origin, description, eventTypes, deviceIds };
}
