import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.js';
import { Database } from '../prisma/database.js';

/** The pool of connections to PostgreSQL: the database is below everything, so it does not measure itself. */
@Injectable()
export class DatabaseMetrics {
  constructor({ pool }: Database, metrics: Metrics) {
    metrics.gauge(
      'mortise_database_connections',
      'Connections to PostgreSQL of this process, by state',
      ['state'],
      (gauge) => {
        gauge.set({ state: 'idle' }, pool.idleCount);
        gauge.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
      },
    );
    metrics.gauge('mortise_database_connections_max', 'DATABASE_POOL_SIZE', [], (gauge) => {
      gauge.set(pool.options.max);
    });
    metrics.gauge('mortise_database_waiting', 'Callers that wait for a connection to PostgreSQL', [], (gauge) => {
      gauge.set(pool.waitingCount);
    });
  }
}
