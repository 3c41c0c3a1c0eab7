import { type DynamicModule, Global, Module, type OnModuleInit } from '@nestjs/common';
import { Transactions } from '../prisma/transactions.js';
import { FeatureRegistrationModule } from '../roles/feature-registration.module.js';
import { AuditFailureWriter } from './audit-failure-writer.js';
import { AuditReadWriter } from './audit-read-writer.js';
import { AuditReader } from './audit-reader.js';
import { type AuditDeclaration, AuditRegistry } from './audit-registry.js';
import { requireAuditEntry } from './audit-requirement.js';
import { AuditWriter } from './audit-writer.js';

@Global()
@Module({
  providers: [AuditRegistry, AuditWriter, AuditReader, AuditFailureWriter, AuditReadWriter],
  exports: [AuditRegistry, AuditWriter, AuditReader, AuditFailureWriter, AuditReadWriter],
})
export class AuditPlatformModule implements OnModuleInit {
  constructor(private readonly transactions: Transactions) {}

  /** Registers the actions and entity types of a feature. */
  static forFeature(declaration: AuditDeclaration): DynamicModule {
    return FeatureRegistrationModule.with(AuditRegistry, declaration);
  }

  onModuleInit(): void {
    this.transactions.beforeCommit(requireAuditEntry);
  }
}
