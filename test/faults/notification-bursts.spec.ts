/**
 * Many notifications at once: what is urgent overtakes what waits, and a burst costs few mails, with and without quiet hours.
 *
 * PROMISE_SCALE=full has 10,000 wait, and 10,000 events burst.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NewEvent } from '../../src/contracts/events.js';
import { insertDueMails, messageStates } from '../support/message-rows.js';
import { endQuietHours, insertNeighbours, type Neighbour } from '../support/neighbours.js';
import { type Fact, FORCED, LOW, NotificationsFixture, SILENT } from '../support/notifications.fixture.js';
import { scaled } from '../support/promise.js';
import type { Door } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';

const WAITING = scaled(500, 10_000);
const TRIES = scaled(5, 20);
const OVERTAKES_WITHIN_MS = 1_000;

let fixture: NotificationsFixture;
let door: Door;

beforeAll(async () => {
  fixture = await NotificationsFixture.start();
});

afterAll(() => fixture.stop());

beforeEach(async () => {
  door = await fixture.createDoor();
});

afterEach(async () => {
  await fixture.mails.pace({ delayMs: 0 });
  await fixture.sql.rows('DELETE FROM notifications');
  await fixture.sql.rows('DELETE FROM notification_messages');
  fixture.mails.mails.length = 0;
});

/** Milliseconds from when an event is appended until its mail is there, each time. */
async function timesOfUrgent(): Promise<number[]> {
  const times: number[] = [];
  for (let place = 0; place < TRIES; place += 1) {
    // Neither the same once more, nor one of more than ten within a window.
    await fixture.sql.rows(`UPDATE notifications SET dedup_key = NULL WHERE user_id = $1`, [door.ada.id]);
    await fixture.sql.rows('DELETE FROM notification_windows WHERE user_id = $1', [door.ada.id]);
    const startedAt = performance.now();
    await fixture.report(door, FORCED);
    await eventually('its mail is there', () => fixture.mailsTo(door.ada).length === place + 1);
    times.push(Math.round(performance.now() - startedAt));
  }
  return times;
}

function tell(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const [middle, last] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  process.stdout.write(`  ${what}: p50 ${String(middle)} ms, p100 ${String(last)} ms, n ${String(times.length)}\n`);
}

describe('a burst of events', () => {
  const DOORS = 50;
  const PEOPLE = scaled(10, 100);
  const EVENTS = PEOPLE * DOORS * 2;
  const AT_ONCE = 500;
  let neighbours: Neighbour[];

  const facts = (): NewEvent[] =>
    [LOW, SILENT].flatMap((fact) =>
      neighbours.flatMap(({ id: userId, doors }) => doors.map((deviceId) => eventOf(fact, deviceId, userId))),
    );

  async function burst(): Promise<number> {
    const events = facts();
    for (let from = 0; from < events.length; from += AT_ONCE) {
      await fixture.append(events.slice(from, from + AT_ONCE));
    }
    return events.length;
  }

  const count = async (table: string): Promise<number> => {
    const [row] = await fixture.sql.rows<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
    return row?.count ?? 0;
  };

  const mailsTo = (one: Neighbour): number => fixture.mailsTo(one).length;

  it('costs each person two mails, and one after their quiet hours, in which only what is urgent comes', async () => {
    neighbours = await insertNeighbours(fixture.sql, PEOPLE, DOORS);
    const [quiet] = neighbours as [Neighbour];
    const startedAt = performance.now();
    expect(await burst()).toBe(EVENTS);
    const appendedMs = performance.now() - startedAt;
    const urgentAt = performance.now();
    await fixture.append([eventOf(FORCED, quiet.doors[0]!, quiet.id)]);
    await eventually('what is urgent is there', () => mailsTo(quiet) === 1, 120_000);
    const urgentMs = performance.now() - urgentAt;
    // The owner and the neighbour of each door, and two who are told of the urgent one.
    const told = EVENTS * 2 + 2;
    await eventually('all is told', async () => (await count('notifications')) === told, 120_000);
    const madeMs = performance.now() - startedAt;
    await eventually('the first mails are there', () => neighbours.every((one) => one.isQuiet || mailsTo(one) > 0));
    expect(neighbours.filter((one) => one.isQuiet && mailsTo(one) > (one === quiet ? 1 : 0))).toEqual([]);

    await endQuietHours(fixture.sql);
    await fixture.hurry();
    await eventually('all messages are sent', async () => (await messageStates(fixture.sql)).PENDING === undefined);
    const { SENT: messages = 0, ...others } = await messageStates(fixture.sql);
    expect(others).toEqual({});
    await eventually('all mails are there', () => sum(neighbours.map(mailsTo)) === messages);
    // Nothing is lost: each notification is in a message.
    expect(
      await count(`notification_deliveries d JOIN notification_messages m ON m.id = d.message_id
      WHERE m.state = 'SENT' AND d.suppressed IS NULL`),
    ).toBe(told);
    const urgent = (one: Neighbour): number => (one === quiet || one === neighbours[1] ? 1 : 0);
    expect(neighbours.filter((one) => mailsTo(one) - urgent(one) > (one.isQuiet ? 1 : 2))).toEqual([]);
    const fewer = 100 - (100 * messages) / told;
    process.stdout.write(
      `  ${String(EVENTS)} events, ${String(told)} notifications for ${String(PEOPLE)} people: ${String(messages)} mails, ${fewer.toFixed(1)} % fewer; ` +
        `appended in ${appendedMs.toFixed(0)} ms, made in ${madeMs.toFixed(0)} ms, the urgent one behind them mailed after ${urgentMs.toFixed(0)} ms\n`,
    );
    expect(fewer).toBeGreaterThanOrEqual(80);
  }, 300_000);
});

// Last: what hangs keeps its places for a while.
describe('an urgent one is there within 1 s', () => {
  it('before all that wait, while a mail takes 50 ms', async () => {
    await insertDueMails(fixture.sql, door.grace.id, WAITING, false);
    await fixture.mails.pace({ delayMs: 50 });
    await eventually('others are sent', () => fixture.mailsTo(door.grace).length > 0);
    const times = await timesOfUrgent();
    const waiting = (await messageStates(fixture.sql)).PENDING;
    tell(`urgent before ${String(WAITING)}, of which ${String(waiting)} still wait`, times);
    expect(waiting).toBeGreaterThan(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(OVERTAKES_WITHIN_MS);
    await fixture.sql.rows('DELETE FROM notification_messages WHERE attempts = 0');
    await eventually('none is under way', async () => (await messageStates(fixture.sql)).PENDING === undefined);
  }, 120_000);

  it('while the provider hangs on all that are not urgent, and on some that are', async () => {
    await fixture.mails.pace({ delayMs: 0, hangsFor: 'gra' });
    await insertDueMails(fixture.sql, door.grace.id, WAITING, false);
    await insertDueMails(fixture.sql, door.grace.id, 5, true);
    const hanging = async (): Promise<boolean> =>
      (await fixture.sql.rows(`SELECT 1 FROM notification_messages WHERE attempts > 0`)).length >= 45;
    await eventually('all places hang', hanging);
    const times = await timesOfUrgent();
    tell(`urgent beside ${String(WAITING)} that hang`, times);
    expect(Math.max(...times)).toBeLessThanOrEqual(OVERTAKES_WITHIN_MS);
    expect(fixture.mailsTo(door.grace)).toEqual([]);
  }, 120_000);
});

function eventOf(fact: Fact, deviceId: string, userId: string): NewEvent {
  return { ...fact, source: 'mqtt', actor: `device:${deviceId}`, deviceId, userId } as NewEvent;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
