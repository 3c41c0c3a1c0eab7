import { Global, Module } from '@nestjs/common';
import { AuditFailureWriter } from './audit-failure-writer.js';
import { AuditReader } from './audit-reader.js';
import { AuditWriter } from './audit-writer.js';

@Global()
@Module({
  providers: [AuditWriter, AuditReader, AuditFailureWriter],
  exports: [AuditWriter, AuditReader, AuditFailureWriter],
})
export class AuditPlatformModule {}
