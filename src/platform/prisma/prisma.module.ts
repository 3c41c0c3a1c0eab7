import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { Readiness } from '../health/readiness.js';
import { Database } from './database.js';
import { Transactions } from './transaction.js';

/** PostgreSQL: `Database` for repositories, `Transactions` for services. */
@Global()
@Module({ providers: [Database, Transactions], exports: [Database, Transactions] })
export class PrismaModule implements OnModuleInit {
  constructor(
    private readonly database: Database,
    private readonly readiness: Readiness,
  ) {}

  onModuleInit(): void {
    this.readiness.register({
      name: 'postgres',
      critical: true,
      check: async () => {
        await this.database.query('ping', 'SELECT 1');
      },
    });
  }
}
