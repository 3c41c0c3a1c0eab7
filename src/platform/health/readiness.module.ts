import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { Database } from '../prisma/database.js';
import { Readiness } from './readiness.js';

/** Readiness, and its check of PostgreSQL: the database is below everything, so it does not register itself. */
@Global()
@Module({ providers: [Readiness], exports: [Readiness] })
export class ReadinessModule implements OnModuleInit {
  constructor(
    private readonly readiness: Readiness,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    this.readiness.register({ name: 'postgres', critical: true, check: () => this.database.ping() });
  }
}
