import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { judgeUrl } from '../../../platform/outbound/outbound-address.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { isUuid, newId } from '../../../shared/ids.js';
import { UsersService } from '../../users/users.service.js';
import {
  InvalidPushEndpointError,
  PushServiceNotSetUpError,
  PushSubscriptionNotFoundError,
} from './push-subscriptions.errors.js';
import { PushSubscriptionsRepository, type SealedSubscription } from './push-subscriptions.repository.js';
import { type AvailablePushServices, type PushSubscription, type PushTarget } from './push-subscriptions.types.js';
import { endingOf, PushTargetsService, targetHashOf } from './push-targets.service.js';

const MAX_OF_PERSON = 20;

/** Where people are pushed to, as their browsers and apps register it. */
@Injectable()
export class PushSubscriptionsService {
  constructor(
    private readonly subscriptions: PushSubscriptionsRepository,
    private readonly targets: PushTargetsService,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly idempotency: IdempotencyService,
    private readonly config: AppConfig,
  ) {}

  available(): AvailablePushServices {
    return this.targets.available();
  }

  /** The live ones, oldest first. */
  list(userId: string): Promise<PushSubscription[]> {
    return this.subscriptions.list(userId);
  }

  /**
   * Registers a target for as long as this session lasts. The same target again is the same subscription; one that another account
   * has registered belongs to this one from now on, because a phone or browser changes hands.
   * @throws PushServiceNotSetUpError, InvalidPushEndpointError
   */
  register({ userId, sessionId }: Principal, asked: PushTarget, userAgent: string | null): Promise<PushSubscription> {
    if (!this.targets.available().services.includes(asked.service)) {
      throw new PushServiceNotSetUpError(asked.service);
    }
    const target = this.judged(asked);
    return this.transactions.run(async () => {
      const { id } = await this.idempotency.once(async () => {
        // One at a time for each person: another would count without this one.
        await this.users.lockAll([userId]);
        const kept = await this.keep({ userId, sessionId, userAgent }, target);
        const { service } = target;
        await this.audit.record({ entity: { type: 'push_subscription', id: kept }, after: { service } });
        await this.recordRemoved(await this.subscriptions.evict(userId, kept, MAX_OF_PERSON - 1), 'too_many');
        return kept;
      });
      return this.required(userId, id);
    });
  }

  /** @throws PushSubscriptionNotFoundError */
  remove(userId: string, id: string): Promise<void> {
    return this.transactions.run(async () => {
      const removed = isUuid(id) ? await this.subscriptions.remove(userId, id) : null;
      if (!removed) {
        throw new PushSubscriptionNotFoundError(id);
      }
      await this.audit.record({ entity: { type: 'push_subscription', id }, before: { ...removed } });
    });
  }

  /** @returns the id under which it is kept */
  private async keep(
    { userId, sessionId, userAgent }: Pick<SealedSubscription, 'userId' | 'sessionId' | 'userAgent'>,
    target: PushTarget,
  ): Promise<string> {
    const tokenHash = targetHashOf(target);
    const { service } = target;
    for (;;) {
      const held = await this.subscriptions.lockHeld({ sessionId, service, tokenHash });
      const isMine = held?.userId === userId;
      const id = isMine ? held.id : newId();
      const sealed = this.targets.seal(target, id);
      const kept = { userId, sessionId, userAgent, service, sealed, tokenHash, ending: endingOf(target) };
      await this.recordRemoved(await this.subscriptions.replace(kept), 'replaced');
      if (isMine) {
        await this.subscriptions.renew(id, kept);
        return id;
      }
      if (held) {
        await this.subscriptions.remove(held.userId, held.id);
        await this.recordRemoved([held.id], 'moved');
      }
      if (await this.subscriptions.add(id, kept)) {
        return id;
      }
      // Another account has registered the same in this moment: now it is there to be taken over.
    }
  }

  private async recordRemoved(ids: readonly string[], reason: 'replaced' | 'moved' | 'too_many'): Promise<void> {
    for (const id of ids) {
      await this.audit.record({
        action: 'push_subscription_removed',
        entity: { type: 'push_subscription', id },
        after: { reason },
      });
    }
  }

  private async required(userId: string, id: string): Promise<PushSubscription> {
    const found = await this.subscriptions.find(userId, id);
    if (!found) {
      throw new PushSubscriptionNotFoundError(id);
    }
    return found;
  }

  /** With the endpoint in the one spelling that is called. */
  private judged(target: PushTarget): PushTarget {
    if (target.service !== 'web_push') {
      return target;
    }
    const url = judgeUrl(target.endpoint, this.config.outbound.allowedNetworks);
    if ('fault' in url) {
      throw new InvalidPushEndpointError(url.message);
    }
    return { ...target, endpoint: url.href };
  }
}
