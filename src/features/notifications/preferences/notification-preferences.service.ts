import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import type { NotificationChannel } from '../../account/preferences.types.js';
import { UsersService } from '../../users/users.service.js';
import { UnsubscribeTokensService } from '../email/unsubscribe-tokens.service.js';
import { type ChannelChoice, matrixOf } from './wanted-channels.js';
import { InvalidUnsubscribeTokenError } from '../notifications.errors.js';
import type { NotificationKind } from '../notifications.types.js';
import { NotificationPreferencesRepository } from './notification-preferences.repository.js';
import { NotificationWishesService } from './notification-wishes.service.js';

/** What a person wants of a kind over a channel, and whether that is what they want of all kinds. */
export type MatrixEntry = ChannelChoice & { readonly isDefault: boolean };

/** A wish for a kind over a channel; null: as for all kinds. */
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
    private readonly wishes: NotificationWishesService,
    private readonly users: UsersService,
    private readonly tokens: UnsubscribeTokensService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** Of each kind and channel. */
  async get(userId: string): Promise<MatrixEntry[]> {
    const wishes = (await this.wishes.of([userId])).get(userId);
    return wishes ? matrixOf(wishes) : [];
  }

  change(userId: string, changes: readonly ChangedChoice[]): Promise<MatrixEntry[]> {
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
