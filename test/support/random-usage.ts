import type { InsertedAccount } from './accounts.fixture.js';
import { registerDevice } from './devices.fixture.js';
import { request } from './rest.js';
import type { Sql } from './sql.js';
import type { TestApp } from './test-app.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const FIGURES = ['events', 'unlocks', 'locks', 'openings', 'motions', 'commands', 'failedCommands'] as const;
/** What analyses call a figure of a report. */
const ANALYSED: Readonly<Record<string, string>> = { failedCommands: 'commandsFailed' };

type Totals = Record<(typeof FIGURES)[number], number>;
/** A row of a usage report. */
export type UsageRow = Totals & { deviceId: string; deviceName: string; day: string; resolution: string };

/** Devices of a person with random events of the last forty days; one was handed over within a quarter of an hour. */
export class RandomUsage {
  private constructor(
    private readonly application: TestApp,
    private readonly sql: Sql,
    private readonly person: InsertedAccount,
    private readonly devices: readonly string[],
    private readonly handedOnAt: number,
    private readonly first: number,
  ) {}

  static async insert(application: TestApp, sql: Sql, person: InsertedAccount, count: number): Promise<RandomUsage> {
    const register = async (name: string): Promise<string> => (await registerDevice(application.url, person, name)).id;
    const devices = [await register('Attic'), await register('Barn')];
    const first = Date.now() - 40 * DAY_MS;
    // Seven and a half minutes into a quarter.
    const handedOnAt = Math.floor((first + 20 * DAY_MS) / 900_000) * 900_000 + 451_234;
    await sql.rows(`UPDATE devices SET created_at = $2, owned_since = $2 WHERE id = ANY ($1::uuid[])`, [
      devices,
      new Date(first - DAY_MS),
    ]);
    await sql.rows(`UPDATE devices SET owned_since = $2 WHERE id = $1`, [devices[1], new Date(handedOnAt)]);
    // Half of them near the handover, and some that came later than they happened.
    await sql.rows(
      `INSERT INTO events (received_at, occurred_at, type, source, device_id, user_id, actor, payload)
       SELECT t.at, t.at - r.late * interval '5 minutes', k.type, 'mqtt', ($1::uuid[])[r.device], $6, 'system', k.payload
       FROM (SELECT n, random() AS at, random() AS late, floor(random() * 2)::int + 1 AS device, floor(random() * 8)::int + 1 AS type
           FROM generate_series(1, $2::int) n) AS r,
         LATERAL (SELECT date_trunc('milliseconds', CASE WHEN n % 2 = 0 THEN $3::timestamptz + r.at * interval '39 days'
           ELSE $4::timestamptz + (r.at - 0.5) * interval '40 minutes' END) AS at) AS t,
         LATERAL (SELECT ($5::text[])[r.type] AS type,
           (ARRAY['{"lockState": "unlocked"}', '{"lockState": "locked", "doorState": "closed"}', '{"doorState": "open"}',
             '{"lockState": "locked", "doorState": "forced_open"}', '{}', '{"name": "lock_door"}', '{"name": "unlock_door"}', '{}'])[r.type]::jsonb AS payload) AS k
       ORDER BY t.at`,
      [
        devices,
        count,
        new Date(first),
        new Date(handedOnAt),
        [
          ...Array<string>(4).fill('door_status_changed'),
          'motion_detected',
          'command_created',
          'command_expired',
        ].concat('low_battery'),
        person.id,
      ],
    );
    return new RandomUsage(application, sql, person, devices, handedOnAt, first);
  }

  /** Before its first event. */
  get from(): string {
    return new Date(this.first).toISOString();
  }

  async isCounted(): Promise<boolean> {
    const ahead = await this.sql.rows(
      `SELECT FROM events e WHERE e.device_id = ANY ($1::uuid[])
         AND (e.xid, e.id) > (SELECT r.xid, r.event_id FROM event_readers r WHERE r.name = 'event_counts') LIMIT 1`,
      [this.devices],
    );
    return ahead.length === 0;
  }

  /** From and until any millisecond, in turn around the quarter of the handover, from within it, and anywhere. */
  period(run: number, random: () => number): { from: string; until: string } {
    const begins = [
      this.handedOnAt - (8 + random() * 12) * MINUTE_MS,
      this.handedOnAt - (random() - 0.5) * 14 * MINUTE_MS,
      this.first + random() * 39 * DAY_MS,
    ];
    const lengths = [(16 + random() * 20) * MINUTE_MS, random() * 30 * MINUTE_MS, random() * 15 * DAY_MS];
    const from = begins[run % 3] ?? 0;
    return { from: new Date(from).toISOString(), until: new Date(from + 1 + (lengths[run % 3] ?? 0)).toISOString() };
  }

  /** The report by the events alone. */
  ofEvents(from: string, until: string, timeZone: string): Promise<UsageRow[]> {
    return this.sql.rows<UsageRow & Record<string, unknown>>(
      `SELECT d.id AS "deviceId", d.name AS "deviceName", (e.received_at AT TIME ZONE $4)::date::text AS day, count(*)::int AS events,
         count(*) FILTER (WHERE e.payload->>'lockState' = 'unlocked')::int AS unlocks,
         count(*) FILTER (WHERE e.payload->>'lockState' = 'locked')::int AS locks,
         count(*) FILTER (WHERE e.payload->>'doorState' IN ('open', 'forced_open'))::int AS openings,
         count(*) FILTER (WHERE e.type = 'motion_detected')::int AS motions,
         count(*) FILTER (WHERE e.type = 'command_created')::int AS commands,
         count(*) FILTER (WHERE e.type = 'command_expired')::int AS "failedCommands", 'quarter' AS resolution
       FROM events e JOIN devices d ON d.id = e.device_id
       WHERE e.device_id = ANY ($1::uuid[]) AND e.received_at >= $2 AND e.received_at < $3
         AND (d.owned_since = d.created_at OR least(e.received_at, e.occurred_at) >= d.owned_since)
       GROUP BY 1, 2, 3 ORDER BY 2, 3`,
      [this.devices, from, until, timeZone],
    );
  }

  /** The events of each day on which there were some, as an analysis counts them. */
  async analysedDays(from: string, until: string, timeZone: string): Promise<Record<string, number>> {
    const query = { period: 'custom', bucket: 'day', from, until, timeZone };
    const { labels, series } = await this.ask<{ labels: string[]; series: { name: string; values: number[] }[] }>(
      'trends',
      query,
    );
    const values = series.find(({ name }) => name === 'events')?.values ?? [];
    const days = labels.map((label, place) => [label.slice(0, 10), values[place] ?? 0] as const);
    return Object.fromEntries(days.filter(([, events]) => events > 0));
  }

  /** What an analysis answers for the time. */
  async analysed(from: string, until: string): Promise<Totals> {
    const body = await this.ask<{ figures: { name: string; current: number }[] }>('dashboard', {
      period: 'custom',
      from,
      until,
    });
    const found = (figure: string): number =>
      body.figures.find(({ name }) => name === (ANALYSED[figure] ?? figure))?.current ?? NaN;
    return Object.fromEntries(FIGURES.map((figure) => [figure, found(figure)])) as Totals;
  }

  private async ask<T>(path: string, query: Record<string, string>): Promise<T> {
    const asked = `/api/v1/analytics/${path}?${new URLSearchParams(query).toString()}`;
    const { body } = await request<T>(this.application.url, 'GET', asked, { token: this.person.accessToken });
    return body;
  }
}

/** The events of each day, all devices together. */
export function daysOf(rows: readonly UsageRow[]): Record<string, number> {
  const days: Record<string, number> = {};
  for (const { day, events } of rows) {
    days[day] = (days[day] ?? 0) + events;
  }
  return days;
}

/** The sums of a report. */
export function totalsOf(rows: readonly UsageRow[]): Totals {
  return Object.fromEntries(
    FIGURES.map((figure) => [figure, rows.reduce((sum, row) => sum + row[figure], 0)]),
  ) as Totals;
}
