import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { Transactions } from '../prisma/transaction.js';
import { AuditFailureWriter } from './audit-failure-writer.js';
import { AuditReader } from './audit-reader.js';
import { requireAuditEntry } from './audit-requirement.js';
import { AuditWriter } from './audit-writer.js';

@Global()
@Module({
  providers: [AuditWriter, AuditReader, AuditFailureWriter],
  exports: [AuditWriter, AuditReader, AuditFailureWriter],
})
export class AuditPlatformModule implements OnModuleInit {
  constructor(private readonly transactions: Transactions) {}

  onModuleInit(): void {
    this.transactions.beforeCommit(requireAuditEntry);
  }
}
