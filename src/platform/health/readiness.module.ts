import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { DatabaseHealthService } from '../prisma/database-health.service.js';
import { DatabaseSchemaStore } from '../prisma/database-schema-store.js';
import { OperatorError } from '../../shared/operator-error.js';
import { DatabaseMetrics } from './database-metrics.js';
import { ReadinessRegistry, UnhealthyError } from './readiness-registry.js';

/** Readiness, and its check of PostgreSQL: the database is below everything, so it does not register itself. */
@Global()
@Module({ providers: [ReadinessRegistry, DatabaseMetrics], exports: [ReadinessRegistry] })
export class ReadinessModule implements OnModuleInit {
  constructor(
    private readonly readiness: ReadinessRegistry,
    private readonly database: DatabaseHealthService,
    private readonly schema: DatabaseSchemaStore,
  ) {}

  onModuleInit(): void {
    this.readiness.register({
      name: 'postgres',
      critical: true,
      check: async () => {
        await this.database.check().catch((error: unknown) => {
          throw error instanceof OperatorError ? new UnhealthyError(error.message) : error;
        });
        return { schema: this.schema.version ?? null };
      },
    });
  }
}
