import { randomUUID } from 'node:crypto';
import { sendCommand } from './devices.fixture.js';
import { request } from './rest.js';
import type { TestApp } from './test-app.js';

/** More than a migrated cluster has used. */
const TRANSACTIONS_BEFORE = 5_000;

/** Uses up transaction ids, so that a fresh cluster is far behind. */
export async function useTransactions(app: TestApp): Promise<void> {
  await app.rows(`DO $$ BEGIN
    CREATE TEMP TABLE used (n integer) ON COMMIT DROP;
    FOR i IN 1..${String(TRANSACTIONS_BEFORE)} LOOP
      BEGIN INSERT INTO used VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END;
    END LOOP; END $$`);
}

/** Offers a device to another person, and makes a code for it. @returns the code */
export async function offerAndIssueCode({ url }: TestApp, token: string, deviceId: string): Promise<string> {
  const change = async (path: string, body?: object): Promise<Record<string, unknown>> => {
    const headers = { 'idempotency-key': randomUUID() };
    const answer = await request(url, 'POST', `/api/v1/devices/${deviceId}/${path}`, { token, body, headers });
    if (answer.status >= 300) {
      throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  };
  await change('transfer', { email: 'grace@example.com' });
  const { activation } = await change('activation-code');
  return (activation as { code: string }).code;
}

/** Has a device open, and close again. */
export async function unlockAndLock({ url }: TestApp, token: string, deviceId: string, times: number): Promise<void> {
  const order = (name: string) => sendCommand(url, { accessToken: token }, deviceId, { name }, { waitSeconds: 20 });
  for (let time = 0; time < times; time += 1) {
    const { body } = await order('unlock_door');
    if (body.state !== 'EXECUTED') {
      throw new Error(`It did not open: ${JSON.stringify(body)}`);
    }
    await order('lock_door');
  }
}

/** The highest number of an event for which a device has a receipt; 0: it has none. */
export async function highestReceipt(app: TestApp): Promise<number> {
  const rows = await app.rows<{ seq: string }>(`SELECT max(seq)::text AS seq FROM device_receipts`);
  return Number(rows[0]?.seq ?? 0);
}

/** Whether every event of a device is in the rollups, but those that happened before its present owner had it. */
export async function everyEventIsCounted(app: TestApp): Promise<boolean> {
  const [row] = await app.rows<{ events: string; counted: string }>(
    `SELECT (SELECT count(*) FROM events e LEFT JOIN devices d ON d.id = e.device_id WHERE e.device_id IS NOT NULL
        AND (e.occurred_at < d.owned_since AND e.received_at >= d.owned_since AND d.owned_since > d.created_at) IS NOT TRUE)::text AS events,
       (SELECT coalesce(sum(count), 0) FROM event_counts)::text AS counted`,
  );
  return row !== undefined && row.events === row.counted;
}

export interface SequenceRow {
  readonly seq: number;
  /** Whether no receipt above it can be lost. */
  readonly isSure: boolean;
  readonly resumeFrom: number | null;
}

/** Where the sequence of this boot stands. */
export async function sequenceOf(app: TestApp, boot: string): Promise<SequenceRow | undefined> {
  const [row] = await app.rows<SequenceRow>(
    `SELECT seq::int, adopted_at IS NULL AS "isSure", resume_from::int AS "resumeFrom" FROM device_receipts WHERE boot = $1`,
    [boot],
  );
  return row;
}
