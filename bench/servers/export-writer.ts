/**
 * Makes files as a worker makes exports: rows are copied out of PostgreSQL, encoded, and stored. A process of its own, so that its
 * processor time and memory are those of that alone. Each message names a format; what it took is answered.
 */
import { loadConfig } from '../../src/config/load-config.js';
import { copyStatement } from '../../src/features/exports/data-sets/copy-statement.js';
import type { ExportFileFormat } from '../../src/features/exports/exports.types.js';
import { ExportRowsReader } from '../../src/features/exports/runs/export-rows-reader.js';
import { DatabaseIdentityStore } from '../../src/platform/prisma/database-identity-store.js';
import { SnapshotReader, sqlText } from '../../src/platform/prisma/snapshot-reader.js';
import { LocalFileStore } from '../../src/platform/storage/local-file-store.js';
import { nowMs } from '../support/monotonic.js';

/** What the rows are of. */
export interface ExportScope {
  readonly userId: string;
  readonly deviceIds: readonly string[];
}

/** What one file took. */
export interface ExportTook {
  readonly rows: number;
  readonly ms: number;
  readonly cpuMs: number;
  /** Beyond what the process had after a first, small file. */
  readonly rssGrowthMb: number;
}

const MB = 1_048_576;
const LOOK_EVERY_MS = 50;
const LAST_XID = '9000000000000000000';

const config = loadConfig(process.env);
const reader = new SnapshotReader(config, new DatabaseIdentityStore());
const files = new LocalFileStore(config.storage.path);
const scope = JSON.parse(process.env.BENCH_SCOPE ?? '{}') as ExportScope;
const all = scope.deviceIds.map((id, index) => ({ id, name: `Front door ${String(index)}`, from: null }));
let rssBefore = 0;

async function write(format: ExportFileFormat, devices = all): Promise<ExportTook> {
  let highest = 0;
  const look = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss());
  }, LOOK_EVERY_MS);
  const [startMs, cpu] = [nowMs(), process.cpuUsage()];
  const rows = new ExportRowsReader(format);
  await reader.run({ holder: scope.userId, timeZone: 'Europe/Berlin', timeoutMs: 600_000 }, async (snapshot) => {
    const what = { userId: scope.userId, devices, endXid: LAST_XID, timeZone: 'Europe/Berlin' };
    const { query, options } = copyStatement({ type: 'device_logs', format }, what, sqlText);
    await files.put(`bench/${String(process.pid)}.${format}`, rows.read(snapshot.copy(query, options)), {
      mediaType: 'text/csv',
    });
  });
  clearInterval(look);
  const { user, system } = process.cpuUsage(cpu);
  return {
    rows: rows.rows,
    ms: nowMs() - startMs,
    cpuMs: (user + system) / 1_000,
    rssGrowthMb: (highest - rssBefore) / MB,
  };
}

process.on('message', (format: ExportFileFormat) => {
  write(format).then(
    (took) => process.send?.(took),
    (error: unknown) => {
      throw error;
    },
  );
});
process.once('disconnect', () => process.exit(0));
await write('csv', all.slice(0, 1));
rssBefore = process.memoryUsage.rss();
process.send?.('ready');
