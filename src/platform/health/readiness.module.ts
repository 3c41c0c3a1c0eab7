import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { DatabaseHealthService } from '../prisma/database-health.service.js';
import { ForeignDatabaseError } from '../prisma/database-identity.errors.js';
import { ReadinessRegistry, UnhealthyError } from './readiness-registry.js';

/** Readiness, and its check of PostgreSQL: the database is below everything, so it does not register itself. */
@Global()
@Module({ providers: [ReadinessRegistry], exports: [ReadinessRegistry] })
export class ReadinessModule implements OnModuleInit {
  constructor(
    private readonly readiness: ReadinessRegistry,
    private readonly database: DatabaseHealthService,
  ) {}

  onModuleInit(): void {
    this.readiness.register({
      name: 'postgres',
      critical: true,
      check: async () => {
        await this.database.check().catch((error: unknown) => {
          throw error instanceof ForeignDatabaseError ? new UnhealthyError(error.message) : error;
        });
        return undefined;
      },
    });
  }
}
