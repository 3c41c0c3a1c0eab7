import { ok } from 'node:assert';
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { Failure } from '../../tools/stack/failure.js';
import { createDatabase } from '../../tools/stack/postgres.js';
import { type Candidate, compare } from '../support/comparison.js';
import { nowMs } from '../support/monotonic.js';
import type { ExportTook } from '../servers/export-writer.js';
import type { Services } from '../support/services.js';

const EVENTS = 1_000_000;
const DEVICES = 100;
const ROUNDS = 5;
const WRITER = join(import.meta.dirname, '..', 'servers', 'export-writer.js');
const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const DEVICE_IDS = Array.from({ length: DEVICES }, (_, index) => idOf(index));

const FILL = `
  INSERT INTO events (received_at, occurred_at, type, source, device_id, user_id, actor, correlation_id, payload)
  SELECT t, t, (ARRAY['door_status_changed', 'motion_detected', 'command_executed', 'custom'])[1 + g % 4], 'mqtt', d,
    '${idOf(0)}', 'device:' || d, 'request-' || g, jsonb_build_object('lockState', 'locked', 'cause', 'auto', 'note', 'a;b ' || g)
  FROM (SELECT g, now() - interval '20 hours' + g * interval '70 ms' AS t,
    ('00000000-0000-7000-8000-' || lpad((g % ${String(DEVICES)})::text, 12, '0'))::uuid AS d
    FROM generate_series(1, ${String(EVENTS)}) g) s`;

/** The same rows as psql copies them: no zone, no names, no guard against formulas. */
const PLAIN = `SELECT id, received_at, occurred_at, type, source, device_id, actor, command_id, correlation_id, version, payload
  FROM events WHERE device_id = ANY ('{${DEVICE_IDS.join(',')}}') ORDER BY xid, id`;

/** A file of a million events, as a worker makes it, beside `psql \\copy` of the same rows. */
export async function csvExport(services: Services): Promise<void> {
  await createDatabase(services.databaseUrl, 'mortise_csv');
  const url = services.databaseUrl('mortise_csv');
  await migrate(url);
  const sql = new pg.Client({ connectionString: utcConnection(url) });
  await sql.connect();
  await sql.query(FILL);
  await sql.query('VACUUM ANALYZE events');
  await sql.end();
  const folder = await mkdtemp(join(tmpdir(), 'mortise-csv-'));
  // One for each format: the memory of one is not that of the other.
  const [csv, ndjson] = [await startWriter(services, url, folder), await startWriter(services, url, folder)];
  try {
    await compare({
      title: `A file of ${EVENTS.toLocaleString('en')} events`,
      candidates: [
        ours('export to CSV', csv, 'csv'),
        psql(url, join(folder, 'psql.csv')),
        ours('export to NDJSON', ndjson, 'ndjson'),
      ],
      ratios: ['rows/s'],
      rounds: ROUNDS,
    });
  } finally {
    csv.disconnect();
    ndjson.disconnect();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startWriter({ redisUrl, masterKey }: Services, url: string, folder: string): Promise<ChildProcess> {
  const writer = fork(WRITER, {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: url,
      REDIS_URL: redisUrl,
      MASTER_KEY: masterKey,
      STORAGE_PATH: join(folder, 'files'),
      BENCH_SCOPE: JSON.stringify({ userId: idOf(0), deviceIds: DEVICE_IDS }),
    },
  });
  await once(writer, 'message');
  return writer;
}

function ours(name: string, writer: ChildProcess, format: string): Candidate {
  return {
    name,
    round: async () => {
      writer.send(format);
      const [took] = (await once(writer, 'message')) as [ExportTook];
      ok(took.rows === EVENTS, 'Rows are missing.');
      return {
        operations: EVENTS,
        figures: {
          'rows/s': (EVENTS / took.ms) * 1_000,
          'CPU s': took.cpuMs / 1_000,
          'RSS growth MB': took.rssGrowthMb,
        },
      };
    },
  };
}

function psql(url: string, file: string): Candidate {
  return {
    name: 'psql \\copy',
    round: async () => {
      const startMs = nowMs();
      const { stdout } = await promisify(execFile)('psql', [
        url,
        '-c',
        `\\copy (${PLAIN.replaceAll('\n', ' ')}) to '${file}' (format csv, header)`,
      ]).catch((error: unknown) => {
        throw new Failure(`psql did not copy the rows. Is it installed (Debian: postgresql-client)? ${String(error)}`);
      });
      ok(stdout.includes(`COPY ${String(EVENTS)}`), 'Rows are missing.');
      return {
        operations: EVENTS,
        figures: { 'rows/s': (EVENTS / (nowMs() - startMs)) * 1_000, 'CPU s': NaN, 'RSS growth MB': NaN },
      };
    },
  };
}
