import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { Transactions } from '../prisma/transaction.js';
import { AuditFailures } from './audit-failures.js';
import { AuditLog } from './audit-log.js';
import { requireAuditEntry } from './audit-requirement.js';
import { AuditTrail } from './audit-trail.js';

@Global()
@Module({ providers: [AuditTrail, AuditLog, AuditFailures], exports: [AuditTrail, AuditLog, AuditFailures] })
export class AuditPlatformModule implements OnModuleInit {
  constructor(private readonly transactions: Transactions) {}

  onModuleInit(): void {
    this.transactions.beforeCommit(requireAuditEntry);
  }
}
