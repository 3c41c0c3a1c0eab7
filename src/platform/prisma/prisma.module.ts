import { Global, Module } from '@nestjs/common';
import { DatabaseHealthService } from './database-health.service.js';
import { DatabaseIdentityStore } from './database-identity-store.js';
import { DatabaseSchemaStore } from './database-schema-store.js';
import { Database } from './database.js';
import { ProcessLock } from './process-lock.js';
import { SnapshotReader } from './snapshot-reader.js';
import { Transactions } from './transactions.js';

/** PostgreSQL: `Database` for repositories, `Transactions` for services. */
@Global()
@Module({
  providers: [
    DatabaseIdentityStore,
    DatabaseSchemaStore,
    Database,
    DatabaseHealthService,
    ProcessLock,
    SnapshotReader,
    Transactions,
  ],
  exports: [
    DatabaseIdentityStore,
    DatabaseSchemaStore,
    Database,
    DatabaseHealthService,
    ProcessLock,
    SnapshotReader,
    Transactions,
  ],
})
export class PrismaModule {}
