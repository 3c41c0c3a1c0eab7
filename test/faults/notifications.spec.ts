/**
 * Notifications outlive what sends them: of two workers one is killed by signal 9 with mails under way. The other one goes on with
 * them within 2.5 s of the kill, and sends each under its one Message-ID.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Account, createAccount } from '../support/accounts.fixture.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { MailServer } from '../support/mail-server.js';
import { ApplicationProcess } from '../support/process.js';
import { tellProgress } from '../support/promise.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const COUNT = 600;
const BACK_WITHIN_MS = 2_500;

let installation: Installation;
let mails: MailServer;
let api: ApplicationProcess;
let workers: ApplicationProcess[];
let sql: Sql;
let owner: Account;

beforeAll(async () => {
  mails = await MailServer.start();
  installation = await createInstallation({ SMTP_URL: mails.url, RATE_LIMIT_SCALE: '1000' });
  const start = (ROLES: string): Promise<ApplicationProcess> =>
    ApplicationProcess.start({ ...installation.env, ROLES });
  [api, ...workers] = (await Promise.all([start('api'), start('worker'), start('worker')])) as [
    ApplicationProcess,
    ...ApplicationProcess[],
  ];
  sql = await Sql.open(installation.databaseUrl);
  owner = await createAccount(api.url);
}, 120_000);

afterAll(async () => {
  await sql.end();
  await Promise.all([api.stop(), ...workers.map((worker) => worker.kill())]);
  await installation.remove();
  await mails.stop();
}, 60_000);

it('each arrives, and none under a second Message-ID', async () => {
  await sql.rows(
    `WITH told AS (
       INSERT INTO notifications (id, user_id, kind, is_urgent, event_type, event_user_id, values, occurred_at, last_at, is_in_app)
       SELECT gen_random_uuid(), $1::uuid, 'new_sign_in', true, 'signed_in_anew', $1::uuid, '{}', now(), now(), true
       FROM generate_series(1, $2::int) RETURNING id, gen_random_uuid() AS message_id
     ), messages AS (
       INSERT INTO notification_messages (id, user_id, channel, is_urgent) SELECT message_id, $1::uuid, 'email', true FROM told)
     INSERT INTO notification_deliveries (notification_id, channel, message_id) SELECT id, 'email', message_id FROM told`,
    [owner.id, COUNT],
  );
  const mine = (): MailServer['mails'] => mails.mails.filter(({ head }) => head.includes('List-Unsubscribe'));
  await eventually('some are sent', () => mine().length > COUNT / 10);
  await workers[0]!.kill();
  const killedAt = performance.now();
  const lost = await sql.rows<{ id: string }>(
    `SELECT id FROM notification_messages WHERE state = 'PENDING' AND attempts > 0`,
  );
  await eventually('what was under way is settled', async () => {
    const [row] = await sql.rows<{ open: number }>(
      `SELECT count(*)::int AS open FROM notification_messages WHERE state = 'PENDING' AND attempts = 1 AND id = ANY ($1::uuid[])`,
      [lost.map(({ id }) => id)],
    );
    return row?.open === 0;
  });
  const backAfterMs = performance.now() - killedAt;
  await eventually('all are sent', async () => {
    const [row] = await sql.rows<{ sent: number }>(
      `SELECT count(*)::int AS sent FROM notification_messages WHERE state = 'SENT'`,
    );
    return row?.sent === COUNT;
  });
  const ids = mine().map(({ messageId }) => messageId);
  expect(new Set(ids).size).toBe(COUNT);
  tellProgress(`back after ${String(Math.round(backAfterMs))} ms, ${String(lost.length)} were under way`);
  expect(backAfterMs).toBeLessThanOrEqual(BACK_WITHIN_MS);
}, 180_000);
