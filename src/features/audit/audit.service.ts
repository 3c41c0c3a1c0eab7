import { Injectable } from '@nestjs/common';
import { type AuditEntry, type AuditFilter, AuditReader, type AuditPage } from '../../platform/audit/audit-reader.js';
import { AuditRegistry } from '../../platform/audit/audit-registry.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import type { Page } from '../../shared/paging.js';

/** Reads the audit trail, and records that it was read. */
@Injectable()
export class AuditService {
  constructor(
    private readonly registry: AuditRegistry,
    private readonly reader: AuditReader,
    private readonly writer: AuditWriter,
    private readonly transactions: Transactions,
  ) {}

  /** Newest first. @throws InvalidRequestError for an unknown action or type; InvalidCursorError */
  list(filter: AuditFilter, page: AuditPage): Promise<Page<AuditEntry>> {
    this.registry.assertKnown(filter);
    return this.transactions.run(async () => {
      const entries = await this.reader.page(filter, page);
      await this.writer.record({ entity: { type: 'audit', id: null }, after: { query: filter } });
      return entries;
    });
  }
}
