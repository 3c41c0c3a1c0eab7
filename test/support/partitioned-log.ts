import { EventPartitionStore } from '../../src/platform/events/partitions/event-partition-store.js';
import { startEventLog } from './events.fixture.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { emptyRedis } from './redis.js';
import { Sql } from './sql.js';
import type { TestApp } from './test-app.js';

/** The event log of one process in a database of its own, and a connection outside of the application. */
export class PartitionedLog {
  readonly store: EventPartitionStore;

  private constructor(
    private readonly database: TestDatabase,
    readonly node: TestApp,
    readonly sql: Sql,
  ) {
    this.store = node.get(EventPartitionStore);
  }

  static async start(): Promise<PartitionedLog> {
    const database = await createTestDatabase();
    const node = await startEventLog({ databaseUrl: database.url, redisUrl: await emptyRedis() });
    return new PartitionedLog(database, node, await Sql.open(database.url));
  }

  get databaseUrl(): string {
    return this.database.url;
  }

  async stop(): Promise<void> {
    await this.node.stop();
    await this.sql.end();
    await this.database.drop();
  }

  /** Writes events of these ages in days, in this order; negative: to come. */
  async insert(ages: readonly number[], deviceId: string | null = null): Promise<void> {
    for (const age of ages) {
      await this.sql.rows(
        `INSERT INTO events (type, source, actor, device_id, payload, received_at)
         VALUES ('custom', 'system', 'system', $1, jsonb_build_object('age', $2::int), now() - $2 * interval '1 day')`,
        [deviceId, age],
      );
    }
  }
}
