import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

/** One connection for a test that reads or changes rows past the application. End it in `afterAll`. */
export class Sql {
  private constructor(private readonly client: pg.Client) {}

  static async open(url: string): Promise<Sql> {
    // A test may ask while it waits for another answer.
    const client = new pg.Client({ connectionString: utcConnection(url), pipeline: true });
    await client.connect();
    return new Sql(client);
  }

  async rows<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    return (await this.client.query<R>(text, [...values])).rows;
  }

  /** How many connections to this database wait for a lock. */
  async lockWaits(): Promise<number> {
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    return (await this.rows(waiting)).length;
  }

  async end(): Promise<void> {
    await this.client.end();
  }
}
