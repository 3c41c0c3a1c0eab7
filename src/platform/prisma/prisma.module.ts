import { Global, Module } from '@nestjs/common';
import { DatabaseHealthService } from './database-health.service.js';
import { DatabaseIdentityStore } from './database-identity-store.js';
import { DatabaseSchemaStore } from './database-schema-store.js';
import { Database } from './database.js';
import { Transactions } from './transactions.js';

/** PostgreSQL: `Database` for repositories, `Transactions` for services. */
@Global()
@Module({
  providers: [DatabaseIdentityStore, DatabaseSchemaStore, Database, DatabaseHealthService, Transactions],
  exports: [DatabaseIdentityStore, DatabaseSchemaStore, Database, DatabaseHealthService, Transactions],
})
export class PrismaModule {}
