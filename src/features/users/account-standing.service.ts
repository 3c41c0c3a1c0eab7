import { Injectable } from '@nestjs/common';
import type { DomainError } from '../../shared/domain-error.js';
import type { DeletionRefusals, StandingEndHandler } from './account-standing.types.js';
import { AccountCannotActError, UnlockRestrictedError } from './users.errors.js';
import { UsersRepository } from './users.repository.js';

/** Which accounts can act, and what hangs on it in the features above. */
@Injectable()
export class AccountStandingService {
  readonly #refusals: DeletionRefusals[] = [];
  readonly #endHandlers: StandingEndHandler[] = [];

  constructor(private readonly repository: UsersRepository) {}

  /**
   * Those of these accounts that can act, which does not change until the surrounding transaction ends. Lock accounts
   * before what belongs to them (organizations, devices), as their block and deletion do.
   */
  lockActing(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.repository.lockActing(userIds);
  }

  /** The same for one account that must. @throws AccountCannotActError */
  async requireActing(userId: string): Promise<void> {
    if ((await this.lockActing([userId])).size === 0) {
      throw new AccountCannotActError();
    }
  }

  /**
   * Call it before an account lets others at doors: those would open at once what is closed to it for a while.
   * @throws UnlockRestrictedError
   */
  async requireUnrestricted(userId: string): Promise<void> {
    const until = await this.repository.findUnlockRestriction(userId);
    if (until) {
      throw new UnlockRestrictedError(until);
    }
  }

  /** Registers what keeps accounts from being deleted. Call it in `onModuleInit`. */
  onDeletion(refusals: DeletionRefusals): void {
    this.#refusals.push(refusals);
  }

  /** Registers what ends once accounts are blocked or deleted. Call it in `onModuleInit`. */
  onEnd(handler: StandingEndHandler): void {
    this.#endHandlers.push(handler);
  }

  /** The accounts that must not be deleted, and why. */
  async refusalsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, DomainError>> {
    const refusals = new Map<string, DomainError>();
    for (const ask of this.#refusals) {
      (await ask(userIds)).forEach((refusal, id) => refusals.set(id, refusal));
    }
    return refusals;
  }

  /** Ends what accounts have open that were just blocked or deleted. */
  async end(userIds: readonly string[]): Promise<void> {
    for (const handler of this.#endHandlers) {
      await handler(userIds);
    }
  }
}
