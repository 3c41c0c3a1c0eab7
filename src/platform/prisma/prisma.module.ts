import { Global, Module } from '@nestjs/common';
import { Database } from './database.js';
import { Transactions } from './transactions.js';

/** PostgreSQL: `Database` for repositories, `Transactions` for services. */
@Global()
@Module({ providers: [Database, Transactions], exports: [Database, Transactions] })
export class PrismaModule {}
