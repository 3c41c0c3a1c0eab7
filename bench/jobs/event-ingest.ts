import { ok } from 'node:assert';
import pg from 'pg';
import { INSERT_EVENTS } from '../../src/platform/events/event-store.js';
import { migrate } from '../../src/platform/prisma/migrations/migrate.js';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';
import { createDatabase } from '../../tools/stack/postgres.js';
import { type Candidate, compare } from '../support/comparison.js';
import { nowMs } from '../support/monotonic.js';
import type { Services } from '../support/services.js';

const ROUNDS = 9;
/** As they are written together: see `EventIngestService`. */
const BATCH = 500;
const BATCHES = 60;
const INDEXES = ['events_words_idx', 'events_command_id_xid_id_idx'];

/** What an installation writes, three of a hundred with words, and the worst that there is: nothing else. */
const MIXES: Readonly<Record<string, (n: number) => object>> = {
  'three of a hundred with words': (n) => (n % 100 < 3 ? fault(n) : door(n)),
  'each with words': fault,
};

function door(n: number): object {
  return {
    type: 'door_status_changed',
    payload: { lockState: n % 2 === 0 ? 'locked' : 'unlocked', doorState: 'closed' },
  };
}

function fault(n: number): object {
  const payload = { errorCode: `E${String(n % 31)}`, errorMessage: `Motor stalled at step ${String(n % 997)}` };
  return { type: 'error_occurred', payload };
}

/** What the indexes of the history cost those who write events: the same events into a log with them and into one without. */
export async function eventIngest(services: Services): Promise<void> {
  const logs = [await openLog(services, 'mortise_ingest'), await openLog(services, 'mortise_ingest_plain')] as const;
  for (const name of INDEXES) {
    await logs[1].query(`DROP INDEX ${name}`);
  }
  for (const [mix, event] of Object.entries(MIXES)) {
    await compare({
      title: `Events written, ${String(BATCH)} in a transaction: ${mix}`,
      candidates: [candidate('with the indexes of the history', logs[0], event), candidate('without', logs[1], event)],
      ratios: ['events/s'],
      rounds: ROUNDS,
    });
  }
  await Promise.all(logs.map((client) => client.end()));
}

async function openLog({ databaseUrl }: Services, name: string): Promise<pg.Client> {
  await createDatabase(databaseUrl, name);
  await migrate(databaseUrl(name));
  const client = new pg.Client({ connectionString: utcConnection(databaseUrl(name)) });
  await client.connect();
  return client;
}

function candidate(name: string, client: pg.Client, event: (n: number) => object): Candidate {
  let written = 0;
  return {
    name,
    round: async () => {
      const start = nowMs();
      for (let batch = 0; batch < BATCHES; batch += 1) {
        const records = Array.from({ length: BATCH }, () => recordOf((written += 1), event));
        await client.query({ name: 'events_insert', text: INSERT_EVENTS, values: [JSON.stringify(records)] });
      }
      const seconds = (nowMs() - start) / 1_000;
      const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM events');
      ok(rows[0]?.count !== undefined && rows[0].count >= written, 'Events are missing.');
      return { operations: BATCH * BATCHES, figures: { 'events/s': (BATCH * BATCHES) / seconds } };
    },
  };
}

const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

function recordOf(n: number, event: (n: number) => object): object {
  const device = idOf(n % 1_000);
  return {
    ...event(n),
    source: 'mqtt',
    device_id: device,
    user_id: idOf(n % 100),
    actor: `device:${device}`,
    version: n,
  };
}
