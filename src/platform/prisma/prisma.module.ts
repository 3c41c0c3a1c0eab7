import { Global, Module } from '@nestjs/common';
import { DatabaseHealthService } from './database-health.service.js';
import { Database } from './database.js';
import { Transactions } from './transactions.js';

/** PostgreSQL: `Database` for repositories, `Transactions` for services. */
@Global()
@Module({
  providers: [Database, DatabaseHealthService, Transactions],
  exports: [Database, DatabaseHealthService, Transactions],
})
export class PrismaModule {}
