import { SOCKET_EVENTS } from '../../../src/contracts/realtime.js';
import { Dashboard } from '../dashboard.js';
import { Sql } from '../sql.js';
import { eventually } from '../wait.js';
import type { Deployment } from './deployment.js';

const COMPLETE_WITHIN_MS = 60_000;
const TOLD = Object.entries(SOCKET_EVENTS).flatMap(([type, event]) => (event === null ? [] : [type]));
/** Rollups that differ from the events they were made of. */
const WRONGLY_COUNTED = `
  SELECT * FROM (SELECT device_id, type, date_bin('15 minutes', received_at, '2000-01-01Z') AS at, count(*) AS real FROM events
                  WHERE device_id IS NOT NULL GROUP BY 1, 2, 3) AS e
    FULL JOIN (SELECT device_id, type, at, sum(count) AS count FROM event_counts GROUP BY 1, 2, 3) AS r USING (device_id, type, at)
   WHERE e.real IS DISTINCT FROM r.count`;

/** A dashboard of the owner at each API, and what the log says that both must have heard. */
export class FeedAudience {
  private constructor(
    private readonly sql: Sql,
    private readonly dashboards: readonly Dashboard[],
    private readonly deviceIds: readonly string[],
    /** The events up to it are not told any more. */
    private readonly start: string,
  ) {}

  static async gather(deployment: Deployment, deviceIds: readonly string[]): Promise<FeedAudience> {
    const { services, apiUrls, owner } = deployment;
    const sql = await Sql.open(services.databaseUrl);
    deployment.onStop(() => sql.end());
    const dashboards = await Promise.all(apiUrls.map((url) => Dashboard.signedIn(url, owner.accessToken)));
    const [row] = await sql.rows<{ start: string }>('SELECT coalesce(max(e.id), 0)::text AS start FROM events e');
    const audience = new FeedAudience(sql, dashboards, deviceIds, row?.start ?? '0');
    deployment.onStop(() => audience.leave());
    return audience;
  }

  /** The second time nothing happens. */
  async leave(): Promise<void> {
    this.dashboards.forEach((dashboard) => {
      dashboard.close();
    });
    await this.sql.end();
  }

  /** @returns how many events there were. */
  async expectEverythingOnce(): Promise<number> {
    let [heard, expected]: [string[][], string[]] = [[], []];
    const hasHeardAll = async (): Promise<boolean> => {
      // In this order: what a dashboard has heard is in the log, and what a device reports late is in both.
      heard = this.dashboards.map((dashboard) => this.heardBy(dashboard));
      expected = await this.logged();
      return heard.every((ids) => new Set(ids).size >= expected.length);
    };
    // Nothing comes any more when both are complete: what was told twice shows, too.
    await eventually('both dashboards have heard everything', hasHeardAll, COMPLETE_WITHIN_MS).catch(() => undefined);
    const resyncs = this.dashboards.map((dashboard) => dashboard.resyncs.length);
    const wrong = heard.map((ids) => differences(ids, expected));
    if (expected.length === 0 || wrong.some((difference) => difference !== '') || resyncs.some((count) => count > 0)) {
      throw new Error(
        `Of ${String(expected.length)} events the dashboards missed or heard again: ${wrong.join(' | ')}; told to read again ${resyncs.join(' and ')} times.`,
      );
    }
    return expected.length;
  }

  async expectRightRollups(): Promise<void> {
    await eventually(
      'the rollups agree with the log',
      async () => (await this.sql.rows(WRONGLY_COUNTED)).length === 0,
      COMPLETE_WITHIN_MS,
    );
  }

  private async logged(): Promise<string[]> {
    const rows = await this.sql.rows<{ id: string }>(
      `SELECT e.id::text AS id FROM events e WHERE e.id > $1::bigint AND e.device_id = ANY ($2) AND e.type::text = ANY ($3)
       ORDER BY e.xid, e.id`,
      [this.start, this.deviceIds, TOLD],
    );
    return rows.map(({ id }) => id);
  }

  private heardBy({ received }: Dashboard): string[] {
    return received
      .filter(
        ({ message: { id, deviceId } }) => BigInt(id) > BigInt(this.start) && this.deviceIds.includes(deviceId ?? ''),
      )
      .map(({ message }) => message.id);
  }
}

/** Empty when the same was heard, once and in order. */
function differences(heard: readonly string[], expected: readonly string[]): string {
  const missing = expected.filter((id) => !heard.includes(id));
  const twice = heard.filter((id, index) => heard.indexOf(id) !== index);
  const misplaced = expected.findIndex((id, index) => heard[index] !== id);
  return misplaced < 0 && heard.length === expected.length
    ? ''
    : `missing ${String(missing.length)} (${missing.slice(0, 3).join(', ')}), twice ${String(twice.length)} (${twice.slice(0, 3).join(', ')}), out of order from ${String(misplaced)}`;
}
