import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sql } from './sql.js';

/** Tables with rows; partitions are copied through their parent. */
const TABLES = `SELECT c.relname AS name FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname <> '_prisma_migrations'`;

/**
 * A backup as an operator takes it who has only COPY: the rows of every table of one moment, and nothing else. No sequences,
 * no functions, no transaction ids.
 */
export class CopyBackup {
  private constructor(private readonly folder: string) {}

  static async take(databaseUrl: string): Promise<CopyBackup> {
    const folder = await mkdtemp(join(tmpdir(), 'mortise-backup-'));
    // Written by the server, which may be another user.
    await chmod(folder, 0o777);
    const sql = await Sql.open(databaseUrl);
    try {
      await sql.rows('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      for (const { name } of await sql.rows<{ name: string }>(TABLES)) {
        await sql.rows(`COPY (SELECT * FROM "${name}") TO '${join(folder, name)}'`);
      }
      await sql.rows('COMMIT');
    } finally {
      await sql.end();
    }
    return new CopyBackup(folder);
  }

  /** Replaces all rows of a migrated database. */
  async restore(databaseUrl: string): Promise<void> {
    const sql = await Sql.open(databaseUrl);
    try {
      const names = await readdir(this.folder);
      await sql.rows('BEGIN');
      // The order of the tables does not matter then.
      await sql.rows(`SET LOCAL session_replication_role = 'replica'`);
      await sql.rows(`TRUNCATE ${names.map((name) => `"${name}"`).join(', ')} CASCADE`);
      for (const name of names) {
        await sql.rows(`COPY "${name}" FROM '${join(this.folder, name)}'`);
      }
      await sql.rows('COMMIT');
    } finally {
      await sql.end();
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
