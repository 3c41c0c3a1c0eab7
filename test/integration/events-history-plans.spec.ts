/**
 * A page of the history reads a stretch of the log, whatever it is that is looked for. Seen to fail with a row comparison and
 * a time on one side of a stretch: 25,123 buffers were read for a day.
 *
 * PROMISE_SCALE=full fills the log with ten million events, and says how long each page takes.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventFilter, PageBounds } from '../../src/platform/events/pages/event-conditions.js';
import { pageStatement, searchStatement, STRETCH } from '../../src/platform/events/pages/event-page-sql.js';
import { fillLog, IN_LOG, LOG_LENGTH } from '../support/long-log.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { scaled } from '../support/promise.js';
import { Sql } from '../support/sql.js';

const FULL = scaled(0, 1) === 1;
/** Pages of each kind, from places all over the log. */
const PAGES = scaled(2, 40);
/** Of 8 KiB, found in memory or read: a stretch of 5,000 entries that lie apart, each with its way through an index. */
const MAX_BUFFERS = 12_000;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly PlanNode[];
}
interface Explained {
  readonly Plan: PlanNode;
  readonly 'Execution Time': number;
}

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = await Sql.open(database.url);
  await fillLog(sql);
}, 3_600_000);

afterAll(async () => {
  await sql.end();
  await database.drop();
});

const DAY_MS = 86_400_000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);
const ofOwner: EventFilter = { via: { userIds: [IN_LOG.owner], deviceIds: [] } };
const ofDevice: EventFilter = { deviceIds: [IN_LOG.device] };
const member = IN_LOG.other(999);
const followed = (organization: string): EventFilter['within'] & object => ({
  userId: member,
  deviceIds: [],
  organizationIds: [organization],
});

const LISTS: Readonly<Record<string, EventFilter>> = {
  'all of 5,000 devices': ofOwner,
  'a type that is rare': { ...ofOwner, types: ['low_battery'] },
  'what a person caused': { ...ofOwner, actor: `user:${IN_LOG.other(6)}` },
  'a source': { ...ofOwner, source: 'http' },
  'a command': { ...ofOwner, commandId: IN_LOG.command(50) },
  'a day': { ...ofOwner, from: ago(45), to: ago(44) },
  'a rare word': { ...ofOwner, words: 'zebra' },
  'a frequent word': { ...ofOwner, words: 'motor' },
  'a word of one device': { ...ofDevice, words: 'stalled' },
  'words that no event has together': { ...ofOwner, words: 'zebra calibration' },
  'one device': ofDevice,
  'a type of one device': { ...ofDevice, types: ['error_occurred'] },
  'what one device never did': { ...ofDevice, types: ['low_battery'] },
  'a hundred devices': { deviceIds: Array.from({ length: 100 }, (_, n) => IN_LOG.deviceOf(n * 50)) },
  'an organization with one owner': {
    within: followed(IN_LOG.organization),
    via: { userIds: [member, IN_LOG.owner], deviceIds: [] },
  },
  'an organization with many owners': { within: followed(IN_LOG.mixed), via: 'log' },
};

function literal(value: unknown): string {
  const text = Array.isArray(value)
    ? `{${value.join(',')}}`
    : value instanceof Date
      ? value.toISOString()
      : String(value);
  return typeof value === 'number' ? text : `'${text.replaceAll("'", "''")}'`;
}

/** The generic plan, which PostgreSQL uses for every person, however much there is of theirs. */
async function explain({ text, values }: { text: string; values: readonly unknown[] }): Promise<Explained> {
  await sql.rows('SET plan_cache_mode = force_generic_plan');
  await sql.rows(`PREPARE listed AS ${text}`);
  const given = values.length > 0 ? `(${values.map(literal).join(', ')})` : '';
  const [row] = await sql.rows<{ 'QUERY PLAN': [Explained] }>(
    `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE listed${given}`,
  );
  await sql.rows('DEALLOCATE listed');
  return row!['QUERY PLAN'][0];
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** What a page asks for: the search first, as the application does, and what else it takes when too many events have the words. */
async function pageOf(filter: EventFilter, bounds: PageBounds): Promise<{ ms: number; buffers: number }> {
  const found = searchStatement(filter, bounds);
  const plans = found ? [await explain(found)] : [];
  const scanned = plans.flatMap(({ Plan }) => nodesOf(Plan)).find((node) => node['Actual Rows'] > STRETCH);
  if (!found || scanned) {
    plans.push(await explain(pageStatement(filter, bounds)));
  }
  for (const { Plan } of plans) {
    const reads = nodesOf(Plan).filter((node) => node['Relation Name']?.startsWith('events_') ?? false);
    expect(reads.length).toBeGreaterThan(0);
    for (const node of reads) {
      const rows = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
      expect(node['Node Type'] === 'Seq Scan' ? rows : 0).toBe(0);
      expect(rows).toBeLessThanOrEqual(2 * STRETCH);
    }
  }
  return {
    ms: plans.reduce((sum, plan) => sum + plan['Execution Time'], 0),
    buffers: plans.reduce((sum, { Plan }) => sum + Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks'], 0),
  };
}

describe('A page of the history', () => {
  it.each(Object.keys(LISTS))(
    'reads a stretch of the log at most: %s',
    async (name) => {
      const pages: { ms: number; buffers: number }[] = [];
      for (let page = 0; page < PAGES; page += 1) {
        const place = { xid: BigInt(Math.round((LOG_LENGTH * (page + 1)) / (PAGES + 1))), id: 2n ** 62n };
        for (const order of ['asc', 'desc'] as const) {
          const start = page === 0 && order === 'desc' ? {} : order === 'asc' ? { after: place } : { before: place };
          pages.push(await pageOf(LISTS[name]!, { ...start, order, isComplete: order === 'asc', limit: 50 }));
        }
      }
      const most = Math.max(...pages.map(({ buffers }) => buffers));
      const times = pages.map(({ ms }) => ms).sort((a, b) => a - b);
      const p95 = times[Math.ceil(times.length * 0.95) - 1] ?? 0;
      if (FULL) {
        const [median = 0] = times.slice(Math.floor(times.length / 2));
        process.stdout.write(
          `  ${name}: p50 ${median.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, buffers ${String(most)}, n ${String(pages.length)}\n`,
        );
      }
      expect(most).toBeLessThanOrEqual(MAX_BUFFERS);
    },
    600_000,
  );

  it('says how large the log and each of its indexes are', async () => {
    const sizes = await sql.rows<{ name: string; bytes: number }>(
      `SELECT coalesce(parent.relname, 'rows') AS name, sum(pg_relation_size(c.oid))::float8 AS bytes
         FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND c.relkind = 'i'
           LEFT JOIN pg_class parent ON parent.oid = i.inhparent
        WHERE c.relname LIKE 'events\\_%' AND (c.relkind = 'r' OR c.relkind = 'i') GROUP BY 1 ORDER BY 2 DESC`,
    );
    const perEvent = sizes.map(({ name, bytes }) => `${name} ${(bytes / LOG_LENGTH).toFixed(1)}`);
    if (FULL) {
      process.stdout.write(`  Bytes for each event: ${perEvent.join(', ')}\n`);
    }
    expect(sizes.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['rows', 'events_words_idx', 'events_command_id_xid_id_idx', 'events_user_id_xid_id_idx']),
    );
  });
});
