import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { NOTIFICATION_CHANNELS, type NotificationChannel } from '../../account/preferences.types.js';
import { UsersService } from '../../users/users.service.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import { UnsubscribeTokensService } from '../email/unsubscribe-tokens.service.js';
import { type ChannelChoice, matrixOf } from './wanted-channels.js';
import { InvalidUnsubscribeTokenError } from '../notifications.errors.js';
import type { NotificationKind } from '../notifications.types.js';
import { NotificationPreferencesRepository } from './notification-preferences.repository.js';
import { EffectivePreferencesService } from './effective-preferences.service.js';

/** Whether a person can be told over a channel. */
export interface ChannelStanding {
  readonly channel: NotificationChannel;
  readonly isSetUp: boolean;
  /** The person has an address, number, hook or subscription for it, which works as far as is known. */
  readonly isReachable: boolean;
}

/** What a person wants, and over which channels they can be told. */
export interface NotificationPreferences {
  readonly matrix: readonly MatrixEntry[];
  readonly channels: readonly ChannelStanding[];
}

/** What a person wants of a kind over a channel, and whether that is what they want of all kinds. */
export type MatrixEntry = ChannelChoice & { readonly isDefault: boolean };

/** A choice of a kind over a channel; null: as for all kinds. */
export interface ChangedChoice {
  readonly kind: NotificationKind;
  readonly channel: NotificationChannel;
  readonly isEnabled: boolean | null;
}

/** What people want to be told of, and over which channels. */
@Injectable()
export class NotificationPreferencesService {
  constructor(
    private readonly choices: NotificationPreferencesRepository,
    private readonly preferences: EffectivePreferencesService,
    private readonly channels: NotificationChannelRegistry,
    private readonly users: UsersService,
    private readonly tokens: UnsubscribeTokensService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** Of each kind and channel. */
  async get(userId: string): Promise<NotificationPreferences> {
    const preferences = (await this.preferences.of([userId])).get(userId);
    const reach = await this.channels.reachOf([userId]);
    const channels = NOTIFICATION_CHANNELS.map((channel) => {
      const reached = channel === 'in_app' ? new Set([userId]) : reach.get(channel);
      return { channel, isSetUp: reached !== undefined, isReachable: reached?.has(userId) === true };
    });
    return { matrix: preferences ? matrixOf(preferences) : [], channels };
  }

  change(userId: string, changes: readonly ChangedChoice[]): Promise<NotificationPreferences> {
    return this.transactions.run(async () => {
      // One change after the other: two at once would mix, or wait for each other.
      await this.users.lockAll([userId]);
      await this.save(userId, changes);
      await this.audit.record({ entity: { type: 'user', id: userId }, after: { choices: changes } });
      return this.get(userId);
    });
  }

  /** For who has a mail: none of these kinds is mailed any more. However often. @throws InvalidUnsubscribeTokenError */
  async unsubscribe(token: string): Promise<void> {
    const asked = this.tokens.read(token);
    if (!asked) {
      throw new InvalidUnsubscribeTokenError();
    }
    const { userId, kinds } = asked;
    await this.transactions.run(async () => {
      // An account that is gone gets no mails.
      const [account] = await this.users.lockAll([userId]);
      if (account) {
        await this.save(
          userId,
          kinds.map((kind) => ({ kind, channel: 'email', isEnabled: false })),
        );
      }
      await this.audit.record({
        actor: `user:${userId}`,
        entity: { type: 'user', id: userId },
        after: { kinds, channel: 'email' },
      });
    });
  }

  private async save(userId: string, changes: readonly ChangedChoice[]): Promise<void> {
    const forgotten = changes.filter(({ isEnabled }) => isEnabled === null);
    const chosen = changes.flatMap(({ kind, channel, isEnabled }) =>
      isEnabled === null ? [] : [{ kind, channel, isEnabled }],
    );
    await this.choices.forget(userId, forgotten);
    await this.choices.choose(userId, chosen);
  }
}
