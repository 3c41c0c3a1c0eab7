import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { PreferencesRepository } from './preferences.repository.js';
import type { PreferenceChanges, Preferences } from './preferences.types.js';

/** How the apps look, and how people are notified. */
@Injectable()
export class PreferencesService {
  constructor(
    private readonly repository: PreferencesRepository,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  get(userId: string): Promise<Preferences> {
    return this.repository.get(userId);
  }

  /** Those of each of these people. */
  getAll(userIds: readonly string[]): Promise<ReadonlyMap<string, Preferences>> {
    return this.repository.getAll(userIds);
  }

  update(userId: string, changes: PreferenceChanges): Promise<Preferences> {
    return this.transactions.run(async () => {
      const before = await this.repository.getLocked(userId);
      // A DTO has all of its members, the missing ones as undefined.
      const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
      const after: Preferences = { ...before, ...given };
      await this.repository.save(userId, after);
      await this.audit.record({ entity: { type: 'user', id: userId }, before: { ...before }, after: { ...after } });
      return after;
    });
  }
}
