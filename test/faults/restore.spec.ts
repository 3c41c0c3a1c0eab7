/**
 * A restore in full, as an operator does it who has only COPY: a backup, work after it, a fresh cluster whose transaction
 * ids are far behind, and a lock that ran all the time. Seen to fail before there was an adoption, each by itself: dashboards
 * without `resync`, an empty page for an old cursor, history out of order, rollups that stood still, `stale_counter`, events
 * without receipts, `ok` from health, offers and codes of devices that were still open.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { adoptDatabase } from '../../src/apps/adoption.js';
import { loadConfig } from '../../src/config/load-config.js';
import { deviceTopic } from '../../src/contracts/mqtt.js';
import type { Order } from '../../src/contracts/orders.js';
import { freePort } from '../../tools/stack/ports.js';
import { type Account, createAccount, signIn } from '../support/accounts.fixture.js';
import { CopyBackup } from '../support/copy-backup.js';
import { Dashboard } from '../support/dashboard.js';
import { registerDevice, type RegisteredDevice, sendCommand } from '../support/devices.fixture.js';
import { FreshCluster } from '../support/fresh-cluster.js';
import { createInstallation, type Installation, testEnvironment } from '../support/installation.js';
import { type Answer, request } from '../support/rest.js';
import {
  everyEventIsCounted,
  highestReceipt,
  offerAndIssueCode,
  sequenceOf,
  unlockAndLock,
  useTransactions,
} from '../support/restore-steps.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { VirtualLockProcess } from '../support/virtual-lock-process.js';
import { eventually } from '../support/wait.js';

const STORED_WITHIN_MS = 20_000;

interface EventDto {
  readonly cursor: string;
}

let installation: Installation;
let cluster: FreshCluster;
let backup: CopyBackup;
let env: Readonly<Record<string, string>>;
let app: TestApp;
let owner: Account;
let token: string;
let device: RegisteredDevice;
let away: RegisteredDevice;
let lock: VirtualLockProcess;
/** What clients hold of the time after the backup. */
let oldCursor = '';
/** What they hold of the time before it. */
let earlierCursor = '';
let waiting = '';
let activationCode = '';
let seqBefore = 0;

beforeAll(async () => {
  [installation, cluster] = await Promise.all([createInstallation(), FreshCluster.start()]);
  env = { ...installation.env, PORT: String(await freePort()), MQTT_PORT: String(await freePort()) };
  app = await TestApp.start({ env });
  await useTransactions(app);
  owner = await createAccount(app.url);
  token = owner.accessToken;
  device = await registerDevice(app.url, owner);
  away = await registerDevice(app.url, owner, 'Back door');
  const { url, mqttUrl } = app;
  lock = new VirtualLockProcess({ device, url, mqttUrl, directory: installation.directory });
  await eventually('the lock is linked', async () => (await app.rows(`SELECT FROM device_links`)).length === 1, 20_000);
  await unlockAndLock(app, token, device.id, 1);
  waiting = (await sendCommand(app.url, { accessToken: token }, away.id, { name: 'lock_door' })).body.id;
  activationCode = await offerAndIssueCode(app, token, away.id);
  await settled();
  earlierCursor = (await history('asc')).at(-1)?.cursor ?? '';
  backup = await CopyBackup.take(installation.databaseUrl);
  await unlockAndLock(app, token, device.id, 2);
  await settled();
  seqBefore = await highestReceipt(app);
  oldCursor = (await history('asc')).at(-1)?.cursor ?? '';
  await app.stop();
  await backup.restore(cluster.databaseUrl);
  env = { ...env, DATABASE_URL: cluster.databaseUrl };
}, 120_000);

afterAll(async () => {
  await lock.stop();
  await app.stop();
  await cluster.stop();
  await backup.remove();
  await installation.remove();
}, 60_000);

async function history(order: 'asc' | 'desc', cursor?: string): Promise<EventDto[]> {
  const { body } = await readHistory(order, cursor);
  return body.items;
}

function readHistory(order: string, cursor?: string): Promise<Answer<{ items: EventDto[]; code?: string }>> {
  const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  return request(app.url, 'GET', `/api/v1/devices/${device.id}/events?limit=200&order=${order}${from}`, { token });
}

/** Until the lock has receipts for all, and every event is counted. */
async function settled(): Promise<void> {
  await eventually(
    'every event is stored and counted',
    async () => (await everyEventIsCounted(app)) && lockIsDone(),
    STORED_WITHIN_MS,
  );
}

/** The last thing that the lock heard of its events is that none waits. */
function lockIsDone(): boolean {
  return (
    lock
      .logEntries()
      .findLast(({ kind }) => kind === 'receipt')
      ?.text.includes('; 0 events wait') ?? false
  );
}

describe('a database that was restored from the rows of a backup into a fresh cluster', () => {
  it('is refused with one line that says what to do', async () => {
    const [row] = await rowsOfRestored<{ behind: boolean }>(
      `SELECT max(xid::text::bigint) > pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS behind FROM events`,
    );
    expect(row).toEqual({ behind: true });
    await expect(TestApp.start({ env })).rejects.toThrow(/^Refusing to start: .*npm run db:adopt/);
  });

  it('is adopted without Redis, and started', async () => {
    const config = loadConfig(await testEnvironment(cluster.databaseUrl, { REDIS_URL: 'redis://127.0.0.1:1' }));
    const { changed } = await adoptDatabase(config);
    expect(changed).toMatchObject({ commands_settled: 1, order_counters_raised: 2, receipts_marked_incomplete: 1 });
    expect(changed).toMatchObject({ device_transfers_ended: 1, activation_codes_ended: 1 });
    expect(changed.sessions_ended).toBeGreaterThan(0);
    expect(changed.token_keys_retired).toBeGreaterThanOrEqual(1);
    const online = lock.timesOnline;
    app = await TestApp.start({ env });
    await lock.online(online);
  });

  it('has ended every session, and settled what waited', async () => {
    expect((await readHistory('desc')).status).toBe(401);
    token = (await signIn(app.url, owner.email)).accessToken;
    const { body } = await request(app.url, 'GET', `/api/v1/devices/${away.id}/commands/${waiting}`, { token });
    expect(body).toMatchObject({ state: 'EXPIRED', errorCode: 'restored' });
    const used = { body: { deviceId: away.id, code: activationCode } };
    expect((await request(app.url, 'POST', '/api/v1/devices/activate', used)).body.code).toBe(
      'invalid_activation_code',
    );
  });

  it('knows no cursor of the log before: 400 over REST, resync on a socket', async () => {
    for (const cursor of [oldCursor, earlierCursor]) {
      const { status, body } = await readHistory('asc', cursor);
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'cursor_expired' });
    }
    const dashboard = await Dashboard.signedIn(app.url, token, oldCursor);
    await dashboard.expectResync();
    await unlockAndLock(app, token, device.id, 1);
    await dashboard.expect('the unlocking', ({ message }) => message.type === 'command_executed');
    dashboard.close();
  });

  it('opens the lock that ran all the time, whose events are stored again', async () => {
    await unlockAndLock(app, token, device.id, 1);
    await eventually(
      'the lock has receipts above those before the restore',
      async () => (await highestReceipt(app)) > seqBefore,
      STORED_WITHIN_MS,
    );
    await settled();
    const unreported = await app.rows(
      `SELECT c.name, c.state FROM commands c WHERE c.device_id = $1 AND c.counter > 1048576 AND NOT EXISTS (
         SELECT FROM events e WHERE e.type = 'door_status_changed' AND e.command_id = c.id)`,
      [device.id],
    );
    expect(unreported).toEqual([]);
    expect(lock.logEntries().filter(({ text }) => text.includes('stale_counter'))).toEqual([]);
  });

  it('takes the events of a boot that the backup knows nothing of, from the one on that the device says is its oldest', async () => {
    const started = await ScriptedDevice.connect(app.mqttUrl, away);
    await started.listen();
    await started.birth({ uptimeMs: 3_600_000 });
    // The message with 41 is not taken: those after it must not be taken for the oldest.
    const [good, bad] = [41, 0].map((seq) => ({ seq, boot: started.boot, oldest: 41, type: 'custom', data: {} }));
    await started.publishRaw(deviceTopic(away.id, 'events'), JSON.stringify([good, bad]));
    await started.report(42, { lockState: 'locked' }, 41);
    await started.report(41, { lockState: 'unlocked' }, 41);
    await started.report(42, { lockState: 'locked' }, 41);
    await started.receipt(started.boot, 42);
    await started.end();
    const stored = await app.rows(
      `SELECT payload->>'lockState' AS is FROM events WHERE device_id = $1 AND source = 'mqtt' AND type = 'door_status_changed'
       ORDER BY id`,
      [away.id],
    );
    expect(stored).toEqual([{ is: 'unlocked' }, { is: 'locked' }]);
    expect(await sequenceOf(app, started.boot)).toEqual({ seq: 42, isSure: true, resumeFrom: null });
  });

  it('finds the oldest event of a device that does not say it, and takes a boot of after the adoption from its first on', async () => {
    const silent = await ScriptedDevice.connect(app.mqttUrl, away);
    await silent.listen();
    await silent.birth({ uptimeMs: 3_600_000 });
    await silent.report(32, { lockState: 'locked' });
    await silent.report(31, { lockState: 'unlocked' });
    await eventually('both were looked at', async () => (await sequenceOf(app, silent.boot))?.resumeFrom === 31);
    await app.rows(`UPDATE device_receipts SET resume_seen_at = now() - interval '31 seconds' WHERE boot = $1`, [
      silent.boot,
    ]);
    await silent.report(31, { lockState: 'unlocked' });
    await silent.report(32, { lockState: 'locked' });
    await silent.receipt(silent.boot, 32);
    await silent.end();
    expect(await sequenceOf(app, silent.boot)).toMatchObject({ seq: 32, isSure: false });
    const later = await ScriptedDevice.connect(app.mqttUrl, away);
    await later.listen();
    await later.birth({ uptimeMs: 10 });
    await later.report(1, { lockState: 'locked' });
    await later.receipt(later.boot, 1);
    await later.end();
    expect(await sequenceOf(app, later.boot)).toEqual({ seq: 1, isSure: true, resumeFrom: null });
  });

  it('mends by itself what no adoption has: a device that refuses an order as stale gets a higher counter', async () => {
    const scripted = await ScriptedDevice.born(app.mqttUrl, away, randomUUID());
    const order = async (): Promise<Order> => {
      const { id } = await eventually('the device is linked', async () => {
        const sent = await sendCommand(app.url, { accessToken: token }, away.id, { name: 'unlock_door' });
        return sent.status === 202 && sent.body;
      });
      return eventually('the order', () => scripted.orders.find(({ commandId }) => commandId === id));
    };
    const first = await order();
    const refusal = { commandId: first.commandId, status: 'failed', errorCode: 'stale_counter' } as const;
    await scripted.ack(refusal);
    await scripted.ack(refusal);
    await eventually('the counter is raised', async () => {
      const raised = await app.rows(`SELECT FROM devices WHERE id = $1 AND order_counter > $2`, [
        away.id,
        first.counter,
      ]);
      return raised.length === 1;
    });
    const second = await order();
    expect(second.counter - first.counter).toBe(1_048_577);
    await scripted.ack({ commandId: second.commandId, status: 'executed' });
    await scripted.end();
  });

  it('has its history in order, and each event counted once', async () => {
    await settled();
    const rows = await app.rows<{ id: string }>(`SELECT id::text FROM events ORDER BY received_at, id`);
    const ordered = await app.rows<{ id: string }>(`SELECT id::text FROM events ORDER BY xid, id`);
    const ids = ordered.map(({ id }) => BigInt(id));
    expect(ids.length).toBe(new Set(ids).size);
    // What was written after the restore comes after everything that was restored.
    const firstNew = ids.findIndex((id) => id > 1_000_000_000n);
    expect(firstNew).toBeGreaterThan(0);
    expect(ids.slice(firstNew).every((id) => id > 1_000_000_000n)).toBe(true);
    expect(rows.length).toBe(ids.length);
    const wrong = await app.rows(
      `SELECT e.device_id, e.type, count(*), r.count FROM events e
       LEFT JOIN (SELECT device_id, type, sum(count) AS count FROM event_counts GROUP BY 1, 2) r
         ON r.device_id = e.device_id AND r.type = e.type
       WHERE e.device_id IS NOT NULL GROUP BY e.device_id, e.type, r.count HAVING count(*) IS DISTINCT FROM r.count`,
    );
    expect(wrong).toEqual([]);
  });

  it('is healthy, and says who did what', async () => {
    const { status, body } = await request<{ status: string }>(app.url, 'GET', '/api/health');
    expect({ status, health: body.status }).toEqual({ status: 200, health: 'ok' });
    expect(await app.rows(`SELECT outcome FROM audit_entries WHERE action = 'database_adopted'`)).toEqual([
      { outcome: 'success' },
    ]);
  });
});

async function rowsOfRestored<R extends object>(sql: string): Promise<R[]> {
  const connection = await Sql.open(cluster.databaseUrl);
  try {
    return await connection.rows<R & Record<string, unknown>>(sql);
  } finally {
    await connection.end();
  }
}
