import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { NewMail } from '../../src/contracts/mail.js';
import { Mailer } from '../../src/platform/mail/mailer.js';
import { MailOutbox } from '../../src/platform/mail/mail-outbox.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import { SignalBus } from '../../src/platform/redis/signal-bus.js';
import { TestApp } from '../support/test-app.js';
import { MailServer, type ReceivedMail, tokenIn } from '../support/mail-server.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const TOKEN = 'tokentokentokentokentokentokentokentokento1';

interface Row {
  id: string;
  status: string;
  attempts: number;
  sealed: Buffer;
  lastError: string | null;
  waits: number;
}

describe('mail', () => {
  let server: MailServer;
  let application: TestApp;
  let sql: Sql;

  beforeAll(async () => {
    server = await MailServer.start();
    application = await TestApp.start({
      env: { SMTP_URL: server.url, MAIL_FROM: 'Doors <doors@example.com>', PUBLIC_URL: 'https://doors.example.com/' },
    });
    sql = await Sql.open(application.databaseUrl);
  });

  afterEach(() => server.refuse(null));

  afterAll(async () => {
    await sql.end();
    await application.stop();
    await server.stop();
  });

  const get = <T>(type: new (...args: never[]) => T): T => application.get(type);

  function reset(to: string, displayName = 'Ada'): NewMail {
    return { to, template: 'password_reset', values: { displayName, token: TOKEN } };
  }

  async function rowsOf(status: string): Promise<Row[]> {
    return sql.rows<Row & object>(
      `SELECT id, status, attempts, sealed, last_error AS "lastError",
              extract(epoch FROM next_attempt_at - now())::float8 AS waits FROM mails WHERE status = $1`,
      [status],
    );
  }

  /** As if its time had come. */
  async function due(id: string): Promise<void> {
    await sql.rows('UPDATE mails SET next_attempt_at = now(), last_error = NULL WHERE id = $1', [id]);
    get(SignalBus).publish('mail_enqueued', {});
  }

  /** The one mail that waits, once so many attempts were refused. */
  async function postponed(attempt: number): Promise<Row> {
    return eventually(`attempt ${String(attempt)} is refused`, async () =>
      (await rowsOf('PENDING')).find(({ attempts, lastError }) => attempts === attempt && lastError !== null),
    );
  }

  it('reaches a real server, with a link to where clients find us, and its content is forgotten', async () => {
    await get(Mailer).enqueue(reset('ada@example.com'));
    const mail = await server.nextTo('ada@example.com');
    expect(mail).toMatchObject({ from: 'doors@example.com', subject: 'Reset your password' });
    expect(mail.text).toContain(`https://doors.example.com/reset-password#token=${TOKEN}\n`);
    const [row] = await eventually('the mail is noted as sent', async () => {
      const rows = await rowsOf('SENT');
      return rows.length > 0 && rows;
    });
    expect(row).toMatchObject({ attempts: 1, lastError: null });
    expect(row?.sealed).toHaveLength(0);
    expect(mail.messageId).toBe(`<${row?.id ?? ''}@doors.example.com>`);
  });

  it('goes with its transaction, or not at all', async () => {
    const failing = get(Transactions).run(async () => {
      await get(Mailer).enqueue(reset('rolled-back@example.com'));
      throw new Error('No.');
    });
    await expect(failing).rejects.toThrow('No.');
    await get(Mailer).enqueue(reset('after@example.com'));
    await server.nextTo('after@example.com');
    expect(server.mails).toEqual([]);
  });

  it('keeps what it says sealed, to its own row', async () => {
    await server.refuse({ code: 450, text: 'Later' });
    await get(Mailer).enqueue(reset('sealed@example.com'));
    const row = await postponed(1);
    const sealed = row.sealed.toString('latin1');
    expect(sealed.length).toBeGreaterThan(28);
    expect(sealed).not.toMatch(/sealed@example|tokentoken|password_reset/);
    await server.refuse(null);
    await due(row.id);
    await server.nextTo('sealed@example.com');
  });

  it('is tried again after a refusal that may pass, later each time, and given up after eight', async () => {
    await server.refuse({ code: 451, text: `Try later, ${TOKEN}` });
    await get(Mailer).enqueue(reset('greylisted@example.com'));
    const waits: number[] = [];
    for (let attempt = 1; attempt < 8; attempt += 1) {
      const row = await postponed(attempt);
      expect(row.lastError).toBe('EENVELOPE 451');
      waits.push(Math.round(row.waits));
      await due(row.id);
    }
    const [failed] = await eventually('it is given up', async () => {
      const rows = await rowsOf('FAILED');
      return rows.length > 0 && rows;
    });
    expect(failed).toMatchObject({ attempts: 8, lastError: 'EENVELOPE 451' });
    // For the administrator who sends it again.
    expect(failed?.sealed.length).toBeGreaterThan(28);
    expect(waits[0]).toBeLessThanOrEqual(15);
    expect(waits.every((wait, index) => index === 0 || wait >= (waits[index - 1] ?? 0))).toBe(true);
    expect(waits.at(-1)).toBeGreaterThan(3_600);
  });

  it('is given up at once when there is no such mailbox', async () => {
    await server.refuse({ code: 550, text: 'No such user' });
    const before = (await rowsOf('FAILED')).length;
    await get(Mailer).enqueue(reset('nobody@example.com'));
    await eventually('it is given up', async () => (await rowsOf('FAILED')).length === before + 1);
    expect((await rowsOf('FAILED')).find(({ attempts }) => attempts === 1)?.lastError).toBe('EENVELOPE 550');
  });

  it('is sent although Redis lost its job', async () => {
    const redis = new Redis(application.redisUrl);
    try {
      // Its job was taken from the row, and is lost before it ran.
      await get(Transactions).run(async () => {
        await get(Mailer).enqueue(reset('wiped@example.com'));
        await get(MailOutbox).queued((await get(MailOutbox).claimDue(100)).map(({ mailId }) => mailId));
      });
      await redis.flushdb();
      const [row] = await rowsOf('PENDING');
      expect(row?.waits).toBeGreaterThan(30);
      await due(row?.id ?? '');
      await server.nextTo('wiped@example.com');
    } finally {
      redis.disconnect();
    }
  });

  it('is sent although the process was gone that was about to make jobs of it', async () => {
    await get(Transactions).run(async () => {
      await get(Mailer).enqueue(reset('unmade@example.com'));
      await get(MailOutbox).claimDue(100);
    });
    await server.nextTo('unmade@example.com');
  });

  it('makes each attempt once, however often its job is done', async () => {
    await server.refuse({ code: 450, text: 'Later' });
    await get(Mailer).enqueue(reset('once@example.com'));
    const row = await postponed(1);
    await server.refuse(null);
    const job = { mailId: row.id, attempt: 2 };
    const send = get(JobRegistry).get('send_mail');
    await Promise.all(Array.from({ length: 10 }, () => send(job)));
    await send({ ...job, attempt: 1 });
    await server.nextTo('once@example.com');
    expect(server.mails).toEqual([]);
  });

  it('turns no name into a link or a line of its own', async () => {
    await get(Mailer).enqueue({
      to: 'guest@example.com',
      template: 'organization_invitation',
      values: {
        organizationName: 'Win at https://evil.example/now',
        inviterName: `Eve\r\nBcc: all@example.com\n\n${'x'.repeat(200)}`,
        role: 'VIEWER',
        token: TOKEN,
      },
    });
    const { text } = await server.nextTo('guest@example.com');
    expect(text.match(/https?:\/\/\S+/g)).toEqual([`https://doors.example.com/accept-invitation#token=${TOKEN}`]);
    expect(text).not.toMatch(/evil\.example|\n\s*Bcc|all@example|x{61}/);
  });

  it('does the same for an unknown email, and tells the client nothing else', async () => {
    const settled = (await rowsOf('SENT')).length + 2;
    await get(Mailer).pretend(reset('decoy@example.com'));
    await get(Mailer).enqueue(reset('real@example.com'));
    await server.nextTo('real@example.com');
    await eventually('both are done with', async () => (await rowsOf('SENT')).length >= settled);
    expect(server.mails).toEqual([]);
  });

  it('renders every mail', async () => {
    const to = 'mails@example.com';
    const values = { displayName: 'Ada', token: TOKEN };
    await get(Mailer).enqueue({ to, template: 'set_password', values });
    await get(Mailer).enqueue({ to, template: 'email_change', values });
    await get(Mailer).enqueue({ to, template: 'registration', values });
    await get(Mailer).enqueue({ to, template: 'password_taken_away', values });
    await get(Mailer).enqueue({ to, template: 'unlock_confirmation', values });
    const mails: ReceivedMail[] = [];
    while (mails.length < 5) {
      mails.push(await server.nextTo(to));
    }
    expect(mails.map((mail) => tokenIn(mail))).toEqual(Array(5).fill(TOKEN));
    expect(mails.map(({ text }) => /\/([a-z-]+)#/.exec(text)?.[1]).sort()).toEqual([
      'confirm-email',
      'confirm-registration',
      'confirm-unlock',
      'set-password',
      'set-password',
    ]);
    await get(Mailer).enqueue({
      to,
      template: 'security_notice',
      values: { displayName: 'Ada', notice: 'email_changed' },
    });
    expect((await server.nextTo(to)).text).not.toContain('#token');
  });

  it('is forgotten two weeks after it was sent or given up', async () => {
    const old = await sql.rows<{ id: string }>(
      `UPDATE mails SET next_attempt_at = now() - interval '15 days' WHERE status <> 'PENDING' RETURNING id`,
    );
    expect(old.length).toBeGreaterThan(0);
    await get(JobRegistry).get('purge_mails')({});
    expect(await sql.rows('SELECT id FROM mails WHERE id = ANY ($1)', [old.map(({ id }) => id)])).toEqual([]);
  });
});
