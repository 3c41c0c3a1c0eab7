import { Injectable } from '@nestjs/common';
import type { DomainError } from '../../shared/domain-error.js';
import type { DeletionRefusals } from './users.types.js';

/** What features above must have their say in, before accounts go. */
@Injectable()
export class AccountHooks {
  readonly #deletion: DeletionRefusals[] = [];

  onDeletion(refusals: DeletionRefusals): void {
    this.#deletion.push(refusals);
  }

  /** Inside of the transaction that deletes them. @returns who stays, and why. */
  async refusals(userIds: readonly string[]): Promise<ReadonlyMap<string, DomainError>> {
    const refused = new Map<string, DomainError>();
    for (const ask of this.#deletion) {
      (await ask(userIds)).forEach((error, userId) => refused.set(userId, error));
    }
    return refused;
  }
}
