import { rm } from 'node:fs/promises';
import { createDatabase, startPostgres } from '../../tools/stack/postgres.js';
import { temporaryPlace } from '../../tools/stack/postgres-place.js';
import { Supervisor } from '../../tools/stack/supervisor.js';
import { Sql } from './sql.js';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';

/** A PostgreSQL of its own, as an operator starts one to restore a backup into: migrated, and nothing else in it. */
export class FreshCluster {
  private constructor(
    readonly databaseUrl: string,
    private readonly supervisor: Supervisor,
    private readonly folder: string,
  ) {}

  static async start(): Promise<FreshCluster> {
    const supervisor = new Supervisor();
    const place = await temporaryPlace();
    supervisor.removeAtEnd(place.folder);
    const { url } = await startPostgres(supervisor, place);
    await createDatabase(url, 'mortise');
    await migrate(url('mortise'));
    return new FreshCluster(url('mortise'), supervisor, place.folder);
  }

  /**
   * Kills one of its processes by signal 9, as a fault would: the server ends every session at once, recovers, and goes on.
   */
  async crash(): Promise<void> {
    const sql = await Sql.open(this.databaseUrl);
    try {
      const [row] = await sql.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      process.kill(row?.pid ?? 0, 'SIGKILL');
    } finally {
      await sql.end().catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    await this.supervisor.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
