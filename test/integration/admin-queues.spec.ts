/** What administrators see of the queues, and what they do about work that was given up. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import type { NewMail } from '../../src/contracts/mail.js';
import { Mailer } from '../../src/platform/mail/mailer.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { MailServer } from '../support/mail-server.js';
import type { Letter, Letters, QueueBody } from '../support/queues.js';
import { type Answer, request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const TOKEN = 'tokentokentokentokentokentokentokentokento1';

let server: MailServer;
let redis: FaultProxy;
let app: TestApp;
let queues: { readonly mail: Queue; readonly maintenance: Queue };
let root: InsertedAccount;
let ada: InsertedAccount;

beforeAll(async () => {
  server = await MailServer.start();
  app = await TestApp.start({ env: { SMTP_URL: server.url } });
  redis = await FaultProxy.inFrontOf(app.redisUrl);
  [root, ada] = [await insertAccount(app, { role: 'ADMIN' }), await insertAccount(app)];
  const connection = { url: app.redisUrl };
  queues = { mail: new Queue('mail', { connection }), maintenance: new Queue('maintenance', { connection }) };
}, 60_000);

afterEach(() => server.refuse(null));

afterAll(async () => {
  await Promise.all(Object.values(queues).map((queue) => queue.close()));
  await app.stop();
  await redis.close();
  await server.stop();
});

function ask<T = Record<string, unknown>>(
  method: string,
  path: string,
  who: InsertedAccount | null = root,
): Promise<Answer<T>> {
  return request<T>(app.url, method, `/api/v1/admin/queues${path}`, {
    ...(who && { token: who.accessToken }),
    headers: { 'idempotency-key': randomUUID() },
  });
}

async function lettersOf(queue: string): Promise<Letter[]> {
  return (await ask<Letters>('GET', `/${queue}/dead-letters`)).body.items;
}

async function queueOf(name: string): Promise<QueueBody> {
  const { body } = await ask<{ queues: QueueBody[] }>('GET', '');
  return body.queues.find((queue) => queue.name === name)!;
}

function reset(to: string): NewMail {
  return { to, template: 'password_reset', values: { displayName: 'Ada', token: TOKEN } };
}

/** A mail to a mailbox that there is not. */
async function givenUp(to: string): Promise<Letter> {
  await server.refuse({ code: 550, text: `No such user, ${TOKEN}` });
  const before = await lettersOf('mail');
  await app.get(Mailer).enqueue(reset(to));
  const letter = await eventually('the mail is given up', async () =>
    (await lettersOf('mail')).find(({ id }) => before.every((other) => other.id !== id)),
  );
  await server.refuse(null);
  return letter;
}

const audited = (id: string): Promise<{ action: string; outcome: string }[]> =>
  app.rows('SELECT action, outcome FROM audit_entries WHERE entity_id = $1 ORDER BY id', [id]);

describe('The queues', () => {
  it.each([
    ['GET', ''],
    ['GET', '/mail/dead-letters'],
    ['POST', `/mail/dead-letters/${randomUUID()}/replay`],
    ['DELETE', `/mail/dead-letters/${randomUUID()}`],
  ])('are for administrators: %s %s', async (method, path) => {
    expect((await ask(method, path, ada)).status).toBe(403);
    expect((await ask(method, path, null)).status).toBe(401);
  });

  it('show what waits, what was done, and how long it took', async () => {
    const before = await queueOf('mail');
    await app.get(Mailer).enqueue(reset('shown@example.com'));
    await server.nextTo('shown@example.com');
    const shown = await eventually('the figures are there', async () => {
      const now = await queueOf('mail');
      return (now.latency?.jobs ?? 0) > (before.latency?.jobs ?? 0) && now;
    });
    expect(shown).toMatchObject({ concurrency: 10, paused: false, oldestWaitingSeconds: 0 });
    expect(shown.lastHour.completed).toBe(before.lastHour.completed + 1);
    expect(shown.latency!.tookMs.p95).toBeGreaterThanOrEqual(shown.latency!.tookMs.p50);
    await queues.mail.pause();
    await queues.mail.add('send_mail', { mailId: randomUUID(), attempt: 1 }, { timestamp: Date.now() - 90_000 });
    try {
      const waiting = await queueOf('mail');
      expect(waiting).toMatchObject({
        counts: { waiting: 1, prioritized: 0, active: 0, delayed: 0, failed: 0 },
        paused: true,
      });
      expect(waiting.oldestWaitingSeconds).toBeGreaterThanOrEqual(90);
    } finally {
      await queues.mail.resume();
    }
    const names = (await ask<{ queues: QueueBody[] }>('GET', '')).body.queues.map(({ name, concurrency }) => [
      name,
      concurrency,
    ]);
    expect(names).toEqual([
      ['exports', 5],
      ['notifications', 10],
      ['webhooks', 10],
      ['mail', 10],
      ['maintenance', 1],
    ]);
  });

  it('are told to be out of reach, in time, while Redis is', async () => {
    const apart = await TestApp.start({ env: { ROLES: 'api', DATABASE_URL: app.databaseUrl, REDIS_URL: redis.url } });
    const figures = (): Promise<Answer> =>
      request(apart.url, 'GET', '/api/v1/admin/queues', { token: root.accessToken });
    expect((await figures()).status).toBe(200);
    for (const fault of ['down', 'silence'] as const) {
      redis[fault]();
      const begun = performance.now();
      const { status, body } = await figures();
      expect([status, body.code]).toEqual([503, 'queues_unavailable']);
      expect(performance.now() - begun).toBeLessThan(5_000);
      redis.up();
      await eventually('the queues are shown again', async () => (await figures()).status === 200, 20_000);
    }
    await apart.stop();
  });
});

describe('Dead letters', () => {
  it('of mails show for whom they were and why, and nothing of what they say', async () => {
    const letter = await givenUp('mallory@example.com');
    expect(letter).toMatchObject({
      kind: 'password_reset',
      recipient: 'm***@example.com',
      error: 'EENVELOPE 550',
      attempts: 1,
      replayable: true,
    });
    const { body } = await ask('GET', '/mail/dead-letters');
    expect(JSON.stringify(body)).not.toMatch(/tokentoken|mallory/);
    expect(await audited('mail')).toContainEqual({ action: 'dead_letters_read', outcome: 'success' });
  });

  it('come in pages, newest first', async () => {
    const [older, newer] = [await givenUp('older@example.com'), await givenUp('newer@example.com')];
    const first = (await ask<Letters>('GET', '/mail/dead-letters?limit=1')).body;
    expect(first.items.map(({ id }) => id)).toEqual([newer.id]);
    const second = (await ask<Letters>('GET', `/mail/dead-letters?limit=1&cursor=${String(first.nextCursor)}`)).body;
    expect(second.items.map(({ id }) => id)).toEqual([older.id]);
    expect((await ask('GET', '/mail/dead-letters?cursor=x')).body.code).toBe('invalid_cursor');
    expect((await ask('GET', '/mails/dead-letters')).body.code).toBe('queue_not_found');
    expect((await ask<Letters>('GET', '/webhooks/dead-letters')).body).toEqual({ items: [], nextCursor: null });
  });

  it('of mails are sent once, however many administrators replay them at once', async () => {
    const { id } = await givenUp('again@example.com');
    const replays = await Promise.all(Array.from({ length: 8 }, () => ask('POST', `/mail/dead-letters/${id}/replay`)));
    expect(replays.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(7).fill(404)]);
    expect(replays.find(({ status }) => status === 404)?.body.code).toBe('dead_letter_not_found');
    expect((await server.nextTo('again@example.com')).text).toContain(TOKEN);
    await eventually('it is noted as sent', async () => {
      const [row] = await app.rows<{ status: string; sealed: Buffer }>(
        'SELECT status, sealed FROM mails WHERE id = $1',
        [id],
      );
      return row?.status === 'SENT' && row.sealed.length === 0;
    });
    expect(server.mails).toEqual([]);
    const replayed = (await audited(id)).filter(({ outcome }) => outcome === 'success');
    expect(replayed).toEqual([{ action: 'dead_letter_replayed', outcome: 'success' }]);
  });

  it('that are refused again are there again, after as many attempts as before', async () => {
    const { id } = await givenUp('still-none@example.com');
    await app.rows(`UPDATE mails SET attempts = 8 WHERE id = $1`, [id]);
    await server.refuse({ code: 451, text: 'Later' });
    expect((await ask('POST', `/mail/dead-letters/${id}/replay`)).status).toBe(204);
    await eventually('it is postponed, not given up', async () => {
      const [row] = await app.rows<{ status: string; attempts: number; last_error: string | null }>(
        'SELECT status, attempts, last_error FROM mails WHERE id = $1',
        [id],
      );
      return row?.status === 'PENDING' && row.attempts === 9 && row.last_error === 'EENVELOPE 451';
    });
    await server.refuse({ code: 550, text: 'No' });
    await app.rows('UPDATE mails SET next_attempt_at = now() WHERE id = $1', [id]);
    await eventually('it is given up again', async () => (await lettersOf('mail')).some((letter) => letter.id === id));
  });

  it('are discarded once, and not replayed then', async () => {
    const { id } = await givenUp('unwanted@example.com');
    expect((await ask('DELETE', `/mail/dead-letters/${id}`)).status).toBe(204);
    for (const [method, rest] of [
      ['DELETE', ''],
      ['POST', '/replay'],
    ] as const) {
      expect((await ask(method, `/mail/dead-letters/${id}${rest}`)).body.code).toBe('dead_letter_not_found');
    }
    expect(await app.rows('SELECT 1 FROM mails WHERE id = $1', [id])).toEqual([]);
    expect(await audited(id)).toContainEqual({ action: 'dead_letter_discarded', outcome: 'success' });
  });

  it('of mails whose content is gone are refused', async () => {
    const { id } = await givenUp('emptied@example.com');
    await app.rows(`UPDATE mails SET sealed = '' WHERE id = $1`, [id]);
    expect((await lettersOf('mail')).find((letter) => letter.id === id)).toMatchObject({
      kind: null,
      recipient: null,
      replayable: false,
    });
    const { status, body } = await ask('POST', `/mail/dead-letters/${id}/replay`);
    expect([status, body.code]).toEqual([409, 'dead_letter_not_replayable']);
  });

  it('of exports are made again for their person, or put aside', async () => {
    const [again, aside] = [randomUUID(), randomUUID()];
    for (const id of [again, aside]) {
      await app.rows(
        `INSERT INTO exports (id, user_id, type, format, request, end_xid, state, error_code, attempts, failures, finished_at)
         VALUES ($1, $2, 'my_data', 'csv', '{"timeZone": "UTC"}', '1'::xid8, 'FAILED', 'internal', 6, 6, now())`,
        [id, ada.id],
      );
    }
    expect((await lettersOf('exports')).find(({ id }) => id === again)).toMatchObject({
      kind: 'my_data',
      recipient: ada.id,
      error: 'internal',
      attempts: 6,
    });
    const replays = await Promise.all([1, 2].map(() => ask('POST', `/exports/dead-letters/${again}/replay`)));
    expect(replays.map(({ status }) => status).sort()).toEqual([204, 404]);
    await eventually('it is made', async () => {
      const [row] = await app.rows<{ state: string }>('SELECT state FROM exports WHERE id = $1', [again]);
      return row?.state === 'COMPLETED';
    });
    expect((await ask('DELETE', `/exports/dead-letters/${aside}`)).status).toBe(204);
    expect((await ask('DELETE', `/exports/dead-letters/${aside}`)).status).toBe(404);
    expect((await lettersOf('exports')).map(({ id }) => id)).not.toContain(aside);
    expect(await app.rows('SELECT state FROM exports WHERE id = $1', [aside])).toEqual([{ state: 'FAILED' }]);
  });

  it('of exports whose events are past their time are refused', async () => {
    const id = randomUUID();
    const asked = { timeZone: 'UTC', from: '2001-01-01T00:07:00.000Z', until: '2001-01-02T00:00:00.000Z' };
    await app.rows(
      `INSERT INTO exports (id, user_id, type, format, request, state, finished_at)
       VALUES ($1, $2, 'usage_report', 'csv', $3, 'FAILED', now())`,
      [id, ada.id, JSON.stringify(asked)],
    );
    expect((await ask('POST', `/exports/dead-letters/${id}/replay`)).body.code).toBe('dead_letter_not_replayable');
  });
});

describe('Dead letters of maintenance', () => {
  it('are the jobs that failed for good: replayed, and discarded', async () => {
    const job = await queues.maintenance.add(
      'purge_of_another_release',
      {},
      { jobId: `repeat:purge_of_another_release:${String(Date.now())}`, removeOnFail: 100 },
    );
    const id = job.id ?? '';
    const letter = await eventually('it failed', async () =>
      (await lettersOf('maintenance')).find((one) => one.id === id),
    );
    expect(letter).toMatchObject({ kind: 'purge_of_another_release', recipient: null, attempts: 1, replayable: true });
    expect(letter.error).toContain('No handler');
    const replays = await Promise.all([1, 2].map(() => ask('POST', `/maintenance/dead-letters/${id}/replay`)));
    // It may have failed again before the second one came.
    expect(replays.map(({ status }) => status)).toContain(204);
    await eventually('it failed again', async () => (await lettersOf('maintenance')).some((one) => one.id === id));
    expect((await ask('DELETE', `/maintenance/dead-letters/${id}`)).status).toBe(204);
    expect((await ask('DELETE', `/maintenance/dead-letters/${id}`)).status).toBe(404);
    expect((await lettersOf('maintenance')).map((one) => one.id)).not.toContain(id);
  });
});
