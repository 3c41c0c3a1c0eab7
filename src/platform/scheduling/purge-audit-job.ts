import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { AuditDeclaration } from '../audit/audit-registry.js';
import { AuditWriter } from '../audit/audit-writer.js';
import { Transactions } from '../prisma/transactions.js';
import { JobRegistry } from '../queue/job-registry.js';
import { PurgeRegistry } from './purge-registry.js';
import { PurgeRunsRepository } from './purge-runs.repository.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof PURGE_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof PURGE_AUDIT.entities> {}
}

declare module '../../contracts/jobs.js' {
  interface Jobs {
    /** Tells the audit trail what purge rules deleted on days that are over. */
    audit_purged_rows: Record<string, never>;
  }
}

export const PURGE_AUDIT = {
  actions: ['rows_purged'],
  entities: { purge_rule: null },
} as const satisfies AuditDeclaration;

const EVERY_MS = 600_000;
/** More rules than there are. */
const MAX_RULES = 200;

/**
 * Tells the audit trail what was purged, in one entry for each rule and day: one for each run would bury the rest. The count
 * is taken in the transaction of the entry, so that each row is told of once. An edge of the worker role.
 */
@Injectable()
export class PurgeAuditJob implements OnModuleInit {
  constructor(
    private readonly rules: PurgeRegistry,
    private readonly runs: PurgeRunsRepository,
    private readonly audit: AuditWriter,
    private readonly transactions: Transactions,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register('audit_purged_rows', { queue: 'maintenance', everyMs: EVERY_MS }, () => this.tell());
  }

  private tell(): Promise<void> {
    return this.transactions.run(async () => {
      const taken = await this.runs.takeUnaudited(MAX_RULES);
      if (taken.length === 0) {
        return;
      }
      // A rule of another release is not known here: its entry has its name alone.
      const tables = new Map<string, readonly string[]>(
        this.rules.retentions().map((each) => [each.name, each.tables]),
      );
      await this.audit.recordEach(
        taken.map(({ rule, rows, from, until, cutoff }) => ({
          context: undefined,
          record: {
            action: 'rows_purged',
            entity: { type: 'purge_rule', id: rule },
            after: { tables: tables.get(rule) ?? [], rows, from, until, cutoff },
          },
        })),
      );
    });
  }
}
