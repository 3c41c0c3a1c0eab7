/**
 * What was purged is counted, and told of in the audit trail, exactly as often as it is gone: workers are killed or stopped while
 * others go on, at each step. Triggers hold a worker at the step: after the deletion, at its count and its COMMIT; when the count is
 * taken for the audit trail, at the entry and its COMMIT.
 * Seen to fail: at the first COMMIT, by a thousand rows, while a batch was counted after it; at the second, by all, while the count
 * was taken in a transaction of its own.
 *
 * PROMISE_SCALE=full: 60 rounds, in which PostgreSQL ends the transaction of a stopped worker before that goes on.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { NodeProcess } from '../support/process.js';
import { recordFigure, scaled, SEED } from '../support/promise.js';
import { emptyRedis } from '../support/redis.js';
import { seededRandom } from '../support/seeded-random.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const SCRIPT = join(import.meta.dirname, 'purge-process.mjs');
const ROWS = 3_500;
/** Their start is what takes the time: in a few rounds no more than one of them is left. */
const WORKERS = 3;
/** Where a worker is held, and the triggers that do it. */
const DEFERRED = 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW';
const STEPS = {
  deletion: 'TRIGGER hold_deletion AFTER DELETE ON blocked_addresses FOR EACH STATEMENT',
  commit: `CONSTRAINT TRIGGER hold_commit AFTER DELETE ON blocked_addresses ${DEFERRED}`,
  count: 'TRIGGER hold_count BEFORE UPDATE ON purge_runs FOR EACH ROW WHEN (NEW.deleted_total > OLD.deleted_total)',
  taking: 'TRIGGER hold_taking BEFORE UPDATE ON purge_runs FOR EACH ROW WHEN (NEW.unaudited < OLD.unaudited)',
  entry: 'TRIGGER hold_entry BEFORE INSERT ON audit_entries FOR EACH STATEMENT',
  told: `CONSTRAINT TRIGGER hold_told AFTER UPDATE ON purge_runs ${DEFERRED} WHEN (NEW.unaudited < OLD.unaudited)`,
} as const;
type Step = keyof typeof STEPS;
type Fault = 'SIGKILL' | 'SIGSTOP';
const FEW: readonly (readonly [Step, Fault])[] = [
  ['commit', 'SIGKILL'],
  ['deletion', 'SIGSTOP'],
  ['entry', 'SIGSTOP'],
  ['count', 'SIGSTOP'],
  ['taking', 'SIGSTOP'],
  ['told', 'SIGKILL'],
];
const ROUNDS = scaled(FEW.length, 60);

const random = seededRandom(SEED);
const workers = new Map<string, NodeProcess>();
let database: TestDatabase;
let redisUrl: string;
let sql: Sql;
let inserted = 0;
let started = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  redisUrl = await emptyRedis();
  sql = await Sql.open(database.url);
  await sql.rows(
    `CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       PERFORM pg_advisory_xact_lock_shared(hashtext(TG_ARGV[0])); RETURN NEW; END $$`,
  );
  for (const [step, trigger] of Object.entries(STEPS)) {
    await sql.rows(`CREATE ${trigger} EXECUTE FUNCTION hold('${step}')`);
  }
  await topUp();
}, 60_000);

afterAll(async () => {
  await Promise.all([...workers.values()].map((worker) => worker.kill()));
  await sql.end();
  await database.drop();
});

/** Starts workers until there are as many as there should be; each is known to PostgreSQL by a name of its own. */
async function topUp(): Promise<void> {
  const added = Array.from({ length: WORKERS - workers.size }, () => {
    const name = `purge-worker-${String((started += 1))}`;
    const url = new URL(database.url);
    url.searchParams.set('application_name', name);
    const worker = new NodeProcess(SCRIPT, [], {
      NODE_ENV: 'test',
      ROLES: 'worker',
      DATABASE_URL: url.href,
      DATABASE_POOL_SIZE: '4',
      REDIS_URL: redisUrl,
      MASTER_KEY: randomBytes(32).toString('base64'),
      LOG_LEVEL: 'silent',
    });
    workers.set(name, worker);
    return worker;
  });
  await eventually(
    'the workers are ready',
    () => {
      expect(added.filter(({ hasEnded }) => hasEnded).map(({ output }) => output)).toEqual([]);
      return added.every(({ output }) => output.includes('ready'));
    },
    60_000,
  );
}

async function hold(step: Step): Promise<void> {
  await sql.rows('SELECT pg_advisory_lock(hashtext($1))', [step]);
}

async function release(step: Step): Promise<void> {
  await sql.rows('SELECT pg_advisory_unlock(hashtext($1))', [step]);
}

/** The name of a worker that is held. */
async function heldWorker(): Promise<string> {
  let name: string | undefined;
  await eventually('a worker is held', async () => {
    const rows = await sql.rows<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'`,
    );
    name = rows.map((row) => row.name).find((each) => workers.has(each));
    return name !== undefined;
  });
  return name ?? '';
}

async function insertEndedBlocks(): Promise<void> {
  inserted += ROWS;
  await sql.rows(
    `INSERT INTO blocked_addresses (address, reason, blocked_at, blocked_until)
     SELECT gen_random_uuid(), 'test', now() - interval '9 days', now() - interval '8 days' FROM generate_series(1, $1)`,
    [ROWS],
  );
}

/** @param unheld whether rows that a transaction holds do not count. */
async function rowsAreGone(unheld = false): Promise<void> {
  await eventually('the rows are gone', async () => {
    const left = `SELECT 1 FROM blocked_addresses LIMIT 1 ${unheld ? 'FOR UPDATE SKIP LOCKED' : ''}`;
    return (await sql.rows(left)).length === 0;
  });
}

interface Counts {
  readonly counted: number;
  readonly unaudited: number;
  readonly audited: number;
}

async function counts(): Promise<Counts> {
  const [row] = await sql.rows<Counts & Record<string, unknown>>(
    `SELECT deleted_total::int AS counted, unaudited::int,
       (SELECT coalesce(sum((after->>'rows')::int), 0)::int FROM audit_entries
        WHERE action = 'rows_purged' AND entity_id = p.rule) AS audited
     FROM purge_runs p WHERE rule = 'purge_blocked_addresses'`,
  );
  return row ?? { counted: 0, unaudited: 0, audited: 0 };
}

/** One worker comes to harm at the step; the others do the rest, and it goes on or another one takes its place. */
async function harm(step: Step, fault: Fault): Promise<void> {
  const name = await heldWorker();
  const worker = workers.get(name);
  worker?.signal(fault);
  if (fault === 'SIGKILL') {
    await worker?.ended;
    workers.delete(name);
  }
  await release(step);
  if (fault === 'SIGSTOP') {
    if (step === 'deletion') {
      // Held by its transaction, which PostgreSQL ends after eight seconds.
      await rowsAreGone(scaled(1, 0) === 1);
    }
    worker?.signal('SIGCONT');
  }
}

async function round(step: Step, fault: Fault): Promise<void> {
  if (workers.size < 2) {
    await topUp();
  }
  const isTold = step === 'taking' || step === 'entry' || step === 'told';
  if (isTold) {
    await insertEndedBlocks();
    await rowsAreGone();
    await hold(step);
    await sql.rows(`UPDATE purge_runs SET unaudited_from = unaudited_from - interval '1 day'`);
  } else {
    await hold(step);
    await insertEndedBlocks();
  }
  await harm(step, fault);
  await rowsAreGone();
  await eventually('every row is counted', async () => (await counts()).counted >= inserted);
  if (isTold) {
    await eventually('every row is told of', async () => (await counts()).unaudited === 0);
  }
  const { counted, unaudited, audited } = await counts();
  expect([step, fault, counted, unaudited + audited]).toEqual([step, fault, inserted, inserted]);
}

it(
  'P-24: counts and tells of each row once, whichever worker is killed or stopped at whatever step',
  async () => {
    const steps = Object.keys(STEPS) as Step[];
    for (let index = 0; index < ROUNDS; index += 1) {
      const drawn = [steps[Math.floor(random() * steps.length)], random() < 0.5 ? 'SIGKILL' : 'SIGSTOP'] as const;
      const [step = 'deletion', fault] = FEW[index] ?? drawn;
      await round(step, fault);
    }
    const entries = await sql.rows(`SELECT 1 FROM audit_entries WHERE action = 'rows_purged'`);
    expect(entries.length).toBeGreaterThan(0);
    recordFigure({
      promise: 'P-24',
      shown: `workers killed or stopped at a step of the purge while another went on, ${String(ROUNDS)} times`,
      n: inserted,
      figure: `0 rows lost or counted twice in ${String(entries.length)} entries of the audit trail`,
      seed: SEED,
    });
  },
  scaled(60_000, 1_200_000),
);
