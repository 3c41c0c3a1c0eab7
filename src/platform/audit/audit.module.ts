import { type DynamicModule, Global, Module } from '@nestjs/common';
import { FeatureRegistrationModule } from '../roles/feature-registration.module.js';
import { AuditFailureWriter } from './audit-failure-writer.js';
import { AuditReader } from './audit-reader.js';
import { type AuditDeclaration, AuditRegistry } from './audit-registry.js';
import { AuditWriter } from './audit-writer.js';

@Global()
@Module({
  providers: [AuditRegistry, AuditWriter, AuditReader, AuditFailureWriter],
  exports: [AuditRegistry, AuditWriter, AuditReader, AuditFailureWriter],
})
export class AuditPlatformModule {
  /** Registers the actions and entity types of a feature. */
  static forFeature(declaration: AuditDeclaration): DynamicModule {
    return FeatureRegistrationModule.with(AuditRegistry, declaration);
  }
}
