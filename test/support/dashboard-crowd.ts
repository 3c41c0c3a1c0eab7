import { setTimeout as pause } from 'node:timers/promises';
import { type House, insertHouse } from '../../bench/support/people.js';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { ReconnectingDashboard, type ReconnectingOptions } from './reconnecting-dashboard.js';
import { ReconnectingStream } from './reconnecting-stream.js';
import type { TestApp } from './test-app.js';
import { eventually } from './wait.js';

/** Handshakes under way at any time while the crowd gathers. */
const CONNECT_AT_ONCE = 50;
const COMPLETE_WITHIN_MS = 120_000;
/** Fewer say little. A busy machine takes longer for them. */
const ENOUGH_EVENTS = 51;

/** What became of the events that each dashboard should have heard. */
export interface Deliveries {
  readonly events: number;
  /** Events times dashboards. */
  readonly expected: number;
  readonly missing: number;
  readonly twice: number;
  /** Dashboards that heard what they heard in another order than that of the log. */
  readonly disordered: number;
  readonly resyncs: number;
}

/** A client that follows the feed, and comes back whenever its connection ends. */
export interface FeedListener {
  /** Ids of the events, as they came. */
  readonly heard: readonly number[];
  /** Attempts to connect that failed, or were refused. */
  readonly refusals: readonly string[];
  readonly isConnected: boolean;
  readonly connections: number;
  readonly resyncs: number;
  /** Its connection ends; it comes back. */
  drop(how: 'leave' | 'reset'): void;
  /** For good. */
  stop(): void;
}

export interface CrowdOptions extends Pick<ReconnectingOptions, 'resumeFrom' | 'random'> {
  readonly size: number;
  /** Where each connects, by its number. */
  readonly urlOf: (index: number) => string;
  /** So many of them follow the event stream over HTTP instead of a socket. */
  readonly streams?: number;
}

/** Dashboards, and programs, of the members of one organization, all of which hear the same device. */
export class DashboardCrowd {
  #events = 0;

  private constructor(
    /** Writes the events, and is no process that serves dashboards. */
    private readonly writer: TestApp,
    private readonly house: House,
    readonly dashboards: readonly FeedListener[],
  ) {}

  /** Each is connected and has heard a first event, so it has a cursor to go on from. */
  static async gather(writer: TestApp, { size, urlOf, streams = 0, ...client }: CrowdOptions): Promise<DashboardCrowd> {
    const tokens = writer.get(AccessTokenFactory);
    const house = await insertHouse(
      (text, values) => writer.rows(text, values),
      (person) => tokens.sign(person),
      size,
    );
    const dashboards: FeedListener[] = [];
    for (let from = 0; from < size; from += CONNECT_AT_ONCE) {
      const together = house.members.slice(from, from + CONNECT_AT_ONCE);
      dashboards.push(
        ...(await Promise.all(
          together.map(({ accessToken: token }, index): Promise<FeedListener> => {
            const url = urlOf(from + index);
            return from + index < streams
              ? ReconnectingStream.start(url, token)
              : ReconnectingDashboard.start({ ...client, url, token });
          }),
        )),
      );
    }
    const crowd = new DashboardCrowd(writer, house, dashboards);
    await crowd.append();
    await eventually('each dashboard has heard the first event', () =>
      dashboards.every(({ heard }) => heard.length > 0),
    );
    return crowd;
  }

  get connected(): number {
    return this.dashboards.filter(({ isConnected }) => isConnected).length;
  }

  /** Attempts to connect that failed, or were refused. */
  get refusals(): string[] {
    return this.dashboards.flatMap(({ refusals }) => refusals);
  }

  get connections(): number {
    return this.dashboards.reduce((sum, { connections }) => sum + connections, 0);
  }

  stop(): void {
    this.dashboards.forEach((dashboard) => {
      dashboard.stop();
    });
  }

  /** One event after another, until it is ended and enough have flowed. */
  pour(everyMs: number): () => Promise<void> {
    const over = new AbortController();
    const pouring = (async () => {
      while (!over.signal.aborted || this.#events <= ENOUGH_EVENTS) {
        await this.append();
        await pause(everyMs);
      }
    })();
    return async () => {
      over.abort();
      await pouring;
    };
  }

  /** Ends the connection of each with this chance: half of them say so, half are gone without a word. @returns how many */
  dropSome(chance: number, random: () => number): number {
    const chosen = this.dashboards.filter(({ isConnected }) => isConnected && random() < chance);
    chosen.forEach((dashboard) => {
      dashboard.drop(random() < 0.5 ? 'leave' : 'reset');
    });
    return chosen.length;
  }

  /** @returns how long it took from now until all are connected, in milliseconds */
  async allBack(): Promise<number> {
    const since = performance.now();
    await eventually(
      'all dashboards are back',
      () => this.connected === this.dashboards.length,
      COMPLETE_WITHIN_MS,
    ).catch((error: unknown) => {
      const latest = JSON.stringify(this.refusals.slice(-3));
      throw new Error(
        `${String(this.connected)} of ${String(this.dashboards.length)} are back; refused ${String(this.refusals.length)} times: ${latest}`,
        { cause: error },
      );
    });
    return performance.now() - since;
  }

  /** Appends a last event, waits until all have heard it, and compares what each has heard with the log. */
  async deliveries(): Promise<Deliveries> {
    await this.append();
    const expected = await this.logged();
    const last = expected.at(-1) ?? 0;
    await eventually(
      'all dashboards have heard the last event',
      () => this.dashboards.every(({ heard }) => heard.at(-1) === last),
      COMPLETE_WITHIN_MS,
    );
    const compared = this.dashboards.map(({ heard }) => compare(heard, expected));
    const sum = (of: (each: ReturnType<typeof compare>) => number): number =>
      compared.reduce((total, each) => total + of(each), 0);
    return {
      events: expected.length,
      expected: expected.length * this.dashboards.length,
      missing: sum(({ missing }) => missing),
      twice: sum(({ twice }) => twice),
      disordered: sum(({ isOrdered }) => (isOrdered ? 0 : 1)),
      resyncs: this.dashboards.reduce((total, { resyncs }) => total + resyncs, 0),
    };
  }

  private async append(): Promise<void> {
    const { deviceId, ownerId: userId } = this.house;
    this.#events += 1;
    const payload = { zone: String(this.#events) };
    await this.writer
      .get(Transactions)
      .run(() =>
        this.writer
          .get(EventLog)
          .append({ type: 'motion_detected', payload, source: 'system', actor: 'system', deviceId, userId }),
      );
  }

  private async logged(): Promise<number[]> {
    const rows = await this.writer.rows<{ id: string }>(
      'SELECT e.id::text AS id FROM events e WHERE e.device_id = $1 ORDER BY e.xid, e.id',
      [this.house.deviceId],
    );
    return rows.map(({ id }) => Number(id));
  }
}

function compare(
  heard: readonly number[],
  expected: readonly number[],
): { missing: number; twice: number; isOrdered: boolean } {
  const once = new Set(heard);
  const inOrder = expected.filter((id) => once.has(id));
  return {
    missing: expected.filter((id) => !once.has(id)).length,
    twice: heard.length - once.size,
    isOrdered: [...once].every((id, index) => id === inOrder[index]),
  };
}
