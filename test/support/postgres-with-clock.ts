import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { createDatabase, type DatabaseUrl, startPostgres } from '../../tools/stack/postgres.js';
import { temporaryPlace } from '../../tools/stack/postgres-place.js';
import { Supervisor } from '../../tools/stack/supervisor.js';
import { fromEnvironment } from './environment.js';
import { Sql } from './sql.js';
import { eventually } from './wait.js';

const DATABASE = 'mortise';
const DAY_MS = 86_400_000;

/**
 * A PostgreSQL server of its own whose clock is days ahead of ours or behind it, and can be moved while it runs. The processes that
 * use it have clocks of their own, and their time-outs run as ever. Those of the server do not: libfaketime tells the true time to what
 * interrupts a wait, so that with a clock ahead no `statement_timeout` or `lock_timeout` ends one.
 */
export class PostgresWithClock {
  private constructor(
    private readonly supervisor: Supervisor,
    private readonly clockFile: string,
    private readonly server: DatabaseUrl,
  ) {}

  /** @param days of its clock from ours; negative: behind @param settings of the server, such as `max_connections` */
  static async start(
    days: number,
    settings: Readonly<Record<string, string | number>> = {},
  ): Promise<PostgresWithClock> {
    const supervisor = new Supervisor();
    try {
      const place = await temporaryPlace();
      supervisor.removeAtEnd(place.folder);
      // Beside the data, because the user that the server runs as may not enter the folder that it was fetched into.
      const library = join(place.folder, 'libfaketime.so');
      await copyFile(fromEnvironment('TEST_FAKETIME'), library);
      const clockFile = join(place.folder, 'clock');
      await writeFile(clockFile, offset(days), { mode: 0o644 });
      const env = {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: clockFile,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        FAKETIME_DONT_RESET: '1',
      };
      const { url } = await startPostgres(supervisor, place, { env, settings: { fsync: 'off', ...settings } });
      return new PostgresWithClock(supervisor, clockFile, url);
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
  }

  /** A new database, migrated by the clock as it is now. @returns its URL */
  async createMigratedDatabase(name = DATABASE): Promise<string> {
    await createDatabase(this.server, name);
    await migrate(this.server(name));
    return this.server(name);
  }

  /** Moves the clock of the running server to `days` from ours; returns when the server shows it. */
  async setClock(days: number): Promise<void> {
    await writeFile(this.clockFile, offset(days));
    const sql = await Sql.open(this.server('postgres'));
    try {
      await eventually('the server shows the new time', async () => {
        const [row] = await sql.rows<{ now: Date }>('SELECT clock_timestamp() AS now');
        return row !== undefined && Math.abs(row.now.getTime() - Date.now() - days * DAY_MS) < DAY_MS / 4;
      });
    } finally {
      await sql.end();
    }
  }

  async stop(): Promise<void> {
    await this.supervisor.stop();
  }
}

/** As libfaketime reads it. */
function offset(days: number): string {
  return `${days < 0 ? '' : '+'}${String(days)}d\n`;
}
