import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.js';
import { Database } from '../prisma/database.js';

/** The pool of connections to PostgreSQL: the database is below everything, so it does not measure itself. */
@Injectable()
export class DatabaseMetrics {
  constructor({ pool, reader }: Database, metrics: Metrics) {
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
    const acquisition = metrics.latency(
      'mortise_database_acquisition_seconds',
      'How long a connection of the pool was waited for',
    );
    pool.onAcquired((waitedMs) => {
      acquisition.observe(waitedMs / 1_000);
    });
    const hotReads = metrics.counter(
      'mortise_database_hot_reads_total',
      'Short reads that were answered over the pipelined connections, or left to the pool',
      ['by'],
    );
    reader.onRead((by) => {
      hotReads.inc({ by });
    });
  }
}
