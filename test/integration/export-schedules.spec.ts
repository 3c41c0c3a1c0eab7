/** Exports that are made again and again: when they are due, what they are of, and that each is made once. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ExportSchedulesService } from '../../src/features/exports/schedules/export-schedules.service.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { type ExportBody, ExportsFixture } from '../support/exports.fixture.js';
import { type Answer, request } from '../support/rest.js';
import { eventually } from '../support/wait.js';

interface ScheduleBody {
  readonly id: string;
  readonly nextAt: string;
  readonly code?: string;
}

const DAY_MS = 86_400_000;
const REPORT = { type: 'usage_report', format: 'csv', every: 'daily', at: '07:30', timeZone: 'Asia/Kathmandu' };

let fixture: ExportsFixture;
let ada: InsertedAccount;

beforeAll(async () => {
  fixture = await ExportsFixture.start();
  ({ ada } = fixture);
});
afterAll(() => fixture.stop());

let key = 0;
const ask = <T = ScheduleBody>(
  who: Pick<InsertedAccount, 'accessToken'>,
  method: string,
  path = '',
  body?: object,
): Promise<Answer<T>> =>
  request<T>(fixture.application.url, method, `/api/v1/export-schedules${path}`, {
    token: who.accessToken,
    ...(body && { body, headers: { 'idempotency-key': `schedule-${String((key += 1))}` } }),
  });

/** What was made of a schedule, once so many have ended. */
async function madeOf(who: InsertedAccount, scheduleId: string, count = 1): Promise<ExportBody[]> {
  return eventually('the exports of the schedule have ended', async () => {
    const { body } = await fixture.client.on<{ items: ExportBody[] }>(who, 'GET', '?limit=200');
    const made = body.items.filter((one) => one.scheduleId === scheduleId);
    return made.length >= count && made.every(({ finishedAt }) => finishedAt !== null) && made;
  });
}

const isDue = (id: string, ago = '1 minute'): Promise<unknown> =>
  fixture.sql.rows(`UPDATE export_schedules SET next_at = now() - $2::interval WHERE id = $1`, [id, ago]);

/** The time of day and the date in a zone. */
const localTime = (time: string, timeZone: string): string =>
  new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'short' }).format(new Date(time));

describe('a schedule', () => {
  it('is due at its time by the clock of its zone, and makes the export of the day before once', async () => {
    const { status, body } = await ask(ada, 'POST', '', REPORT);
    expect(status).toBe(201);
    expect(localTime(body.nextAt, 'Asia/Kathmandu')).toMatch(/ 07:30$/);
    const waits = Date.parse(body.nextAt) - Date.now();
    expect(waits > 0 && waits <= DAY_MS).toBe(true);
    await isDue(body.id, '3 days');
    await Promise.all([1, 2, 3].map(() => fixture.application.get(ExportSchedulesService).runDue()));
    const [made, ...others] = await madeOf(ada, body.id);
    expect(others).toEqual([]);
    expect(made).toMatchObject({ state: 'COMPLETED' });
    expect([made!.from!, made!.until!].map((time) => localTime(time, 'Asia/Kathmandu').slice(-5))).toEqual([
      '00:00',
      '00:00',
    ]);
    expect(Date.parse(made!.until!) - Date.parse(made!.from!)).toBe(DAY_MS);
    expect(Date.parse(made!.until!)).toBeLessThanOrEqual(Date.now());
    const again = await ask(ada, 'GET', `/${body.id}`);
    expect(again.body.nextAt).toBe(body.nextAt);
    // A clock that was set back makes no second one.
    await isDue(body.id);
    await fixture.application.get(ExportSchedulesService).runDue();
    expect(await madeOf(ada, body.id)).toHaveLength(1);
    expect((await fixture.server.nextTo(ada.email)).subject).toBe('Your export is ready: usage report');
  });

  it.each([
    ['weekly', /^Mon$/, [7 * DAY_MS]],
    ['monthly', /^1$/, [28, 29, 30, 31].map((days) => days * DAY_MS)],
  ])('that is %s begins its periods where the week or the month begins', async (every, begins, lengths) => {
    const { body } = await ask(ada, 'POST', '', { ...REPORT, every, timeZone: 'UTC' });
    await isDue(body.id);
    await fixture.application.get(ExportSchedulesService).runDue();
    const [made] = await madeOf(ada, body.id);
    const from = new Date(made!.from!);
    const [weekday = ''] = from.toUTCString().split(',');
    expect(every === 'weekly' ? weekday : String(from.getUTCDate())).toMatch(begins);
    expect(lengths).toContain(Date.parse(made!.until!) - from.getTime());
  });

  it('fails, and says why, once its person may not have it any more', async () => {
    const admin = await insertAccount(fixture.application, { role: 'ADMIN' });
    const { body } = await ask(admin, 'POST', '', { type: 'audit', format: 'csv', every: 'daily', at: '00:00' });
    await fixture.sql.rows(`UPDATE users SET role = 'USER' WHERE id = $1`, [admin.id]);
    await isDue(body.id);
    const [made] = await madeOf(admin, body.id);
    expect(made).toMatchObject({ state: 'FAILED', failure: 'not_permitted' });
    expect((await fixture.server.nextTo(admin.email)).subject).toBe('Your export failed: audit trail');
  });

  it('rests while its person is blocked, and goes on when they are not', async () => {
    const person = await insertAccount(fixture.application);
    const { body } = await ask(person, 'POST', '', REPORT);
    await fixture.sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [person.id]);
    await isDue(body.id);
    expect(await fixture.application.get(ExportSchedulesService).runDue()).toBe(false);
    await fixture.sql.rows('UPDATE users SET blocked_at = NULL WHERE id = $1', [person.id]);
    await fixture.application.get(ExportSchedulesService).runDue();
    expect(await madeOf(person, body.id)).toMatchObject([{ state: 'COMPLETED' }]);
  });

  it('holds up no other one when it cannot be made, and is tried again later', async () => {
    const [broken, other] = [await ask(ada, 'POST', '', REPORT), await ask(ada, 'POST', '', REPORT)];
    // A zone that no request is accepted with.
    await fixture.sql.rows(
      `UPDATE export_schedules SET time_zone = 'Mars/Olympus', next_at = now() - interval '1 hour' WHERE id = $1`,
      [broken.body.id],
    );
    await isDue(other.body.id);
    await fixture.application.get(ExportSchedulesService).runDue();
    await fixture.application.get(ExportSchedulesService).runDue();
    expect(await madeOf(ada, other.body.id)).toMatchObject([{ state: 'COMPLETED' }]);
    const again = await ask(ada, 'GET', `/${broken.body.id}`);
    expect(Date.parse(again.body.nextAt)).toBeGreaterThan(Date.now());
    await fixture.sql.rows(
      `UPDATE export_schedules SET time_zone = 'UTC', next_at = now() - interval '1 second' WHERE id = $1`,
      [broken.body.id],
    );
    await fixture.application.get(ExportSchedulesService).runDue();
    expect(await madeOf(ada, broken.body.id)).toMatchObject([{ state: 'COMPLETED' }]);
  });

  it('is refused in a zone that only Intl knows, and has the summer time of one that PostgreSQL takes for an abbreviation', async () => {
    const refused = await ask<{ errors: { pointer: string }[] }>(ada, 'POST', '', { ...REPORT, timeZone: 'BST' });
    expect([refused.status, refused.body.errors.map(({ pointer }) => pointer)]).toEqual([400, ['/timeZone']]);
    const { status, body } = await ask(ada, 'POST', '', { ...REPORT, timeZone: 'CET' });
    expect([status, localTime(body.nextAt, 'Europe/Brussels').slice(-5)]).toEqual([201, '07:30']);
  });

  it('is for its owner alone, and ends when it is deleted', async () => {
    const { body } = await ask(ada, 'POST', '', REPORT);
    const { mallory } = fixture;
    const answers = await Promise.all([ask(mallory, 'GET', `/${body.id}`), ask(mallory, 'DELETE', `/${body.id}`)]);
    expect(answers.map((answer) => answer.body.code)).toEqual(answers.map(() => 'export_schedule_not_found'));
    expect((await ask<{ items: unknown[] }>(mallory, 'GET')).body.items).toEqual([]);
    const mine = await ask<{ items: { id: string }[] }>(ada, 'GET');
    expect(mine.body.items[0]).toMatchObject({ id: body.id });
    expect((await ask(ada, 'DELETE', `/${body.id}`)).status).toBe(204);
    expect((await ask(ada, 'GET', `/${body.id}`)).status).toBe(404);
  });

  it('is one of 20 at most, also when two are made at once', async () => {
    const person = await insertAccount(fixture.application);
    const answers = await Promise.all(Array.from({ length: 22 }, () => ask(person, 'POST', '', REPORT)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(answers.filter((answer) => answer.body.code === 'too_many_export_schedules')).toHaveLength(2);
  });
});
