import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { DecryptionError } from '../../../platform/crypto/encryption.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { failedAs, type ProviderOutcome, sentAs } from '../../../platform/providers/provider-outcome.js';
import type { PushMessage } from '../../../platform/push/push-message.js';
import { pushOutcomeOf } from './push-outcome.js';
import { HangingTargetsCache } from './hanging-targets-cache.js';
import { PushSubscriptionsRepository, type SealedTarget } from './push-subscriptions.repository.js';
import { PushTargetsService } from './push-targets.service.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import { type ChannelMessage, NotificationTransport, type SendOutcome } from '../channels/notification-transport.js';

interface PushedTarget {
  readonly target: SealedTarget;
  readonly outcome: ProviderOutcome;
}

/** Pushes to the browsers and apps of a person: to all of them at once, each by its service. */
@Injectable()
export class PushTransport extends NotificationTransport implements OnModuleInit {
  readonly name = 'push';
  readonly #hanging = new HangingTargetsCache();

  constructor(
    private readonly registry: NotificationChannelRegistry,
    private readonly subscriptions: PushSubscriptionsRepository,
    private readonly targets: PushTargetsService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly logger: PinoLogger,
  ) {
    super();
    logger.setContext(PushTransport.name);
  }

  onModuleInit(): void {
    if (this.targets.available().services.length > 0) {
      this.registry.register(this);
    }
  }

  reachable(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.subscriptions.reachable(userIds, this.targets.available().services);
  }

  async send(message: ChannelMessage): Promise<SendOutcome> {
    const { services } = this.targets.available();
    const targets = await this.subscriptions.targets(message.userId, services, message.id);
    const push = toPush(message);
    const pushed = await Promise.all(
      targets.map(async (target) => ({ target, outcome: await this.outcomeAt(target, push) })),
    );
    const outcome = pushOutcomeOf(
      pushed.map((one) => one.outcome),
      message.failures,
    );
    await this.remember(pushed, message.id, !outcome.sent);
    return outcome;
  }

  private async outcomeAt(target: SealedTarget, push: PushMessage): Promise<ProviderOutcome> {
    if (target.hasTaken) {
      return sentAs(null);
    }
    const pauseMs = this.#hanging.pauseOf(target);
    if (pauseMs > 0) {
      return failedAs('later', [target.service, 'paused'], pauseMs);
    }
    try {
      const outcome = await this.targets.push(this.targets.open(target.sealed, target.id), push);
      // Of the others, the service is the operator's.
      if (!outcome.sent && outcome.reason === 'web_push_timed_out') {
        this.#hanging.note(target);
      }
      return outcome;
    } catch (error) {
      if (!(error instanceof DecryptionError)) {
        throw error;
      }
      this.logger.warn({ err: error, subscriptionId: target.id }, 'A push subscription cannot be opened');
      return failedAs('permanent', [target.service, 'sealed_by_another_key']);
    }
  }

  /** What follows for the targets. @param isRepeated the message comes again: those that took it are spared then */
  private async remember(pushed: readonly PushedTarget[], messageId: string, isRepeated: boolean): Promise<void> {
    const took = pushed.filter(({ target, outcome }) => outcome.sent && !target.hasTaken);
    if (took.length > 0) {
      const ids = took.map(({ target }) => target.id);
      await this.subscriptions.markUsed(ids, messageId, isRepeated);
    }
    for (const { target, outcome } of pushed) {
      if (!outcome.sent && outcome.isTargetGone) {
        await this.forget(target, outcome.reason);
      }
    }
  }

  private forget(target: SealedTarget, reason: string): Promise<void> {
    return this.transactions.run(async () => {
      if (await this.subscriptions.forget(target)) {
        const entity = { type: 'push_subscription', id: target.id } as const;
        await this.audit.record({ action: 'push_subscription_removed', entity, after: { reason } });
      }
    });
  }
}

function toPush({ id, title, text, url, isUrgent, usefulForMs, data }: ChannelMessage): PushMessage {
  return { id, title, body: text, url, isUrgent, ttlS: Math.floor(usefulForMs / 1_000), collapseKey: null, data };
}
