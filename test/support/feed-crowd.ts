import { randomUUID } from 'node:crypto';
import { EVENT_TYPES, type EventType, type NewEvent } from '../../src/contracts/events.js';
import { FEED_MESSAGES, type FeedMessage, SOCKET_EVENTS } from '../../src/contracts/realtime.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { insertAccount, type InsertedAccount } from './accounts.fixture.js';
import { Dashboard } from './dashboard.js';
import { documentedDecoder, type FrameDecoder } from './frame-decoder.js';
import type { OrganizationsFixture } from './organizations.fixture.js';
import { eventually } from './wait.js';

const STRANGERS = 6;
const EVENTS_PER_ROUND = 150;

interface Viewer {
  readonly account: InsertedAccount;
  readonly dashboard: Dashboard;
  readonly deviceId: string;
  readonly isAdmin: boolean;
  /** Of the organization that has the shared device: with a subscription or without. */
  readonly isMember: boolean;
}

/** What came out of one round of events. */
export interface FeedRound {
  /** Pairs of an event and a dashboard that must not get it. */
  readonly pairs: number;
  /** Events that such a dashboard got. */
  readonly strays: number;
  /** Events that a dashboard which may see them did not get. */
  readonly missing: number;
}

/**
 * Dashboards of people in every relation to a device that one of them shares with an organization. Each person has two: one
 * that hears every event by itself, and one that hears them in frames.
 */
export class FeedCrowd {
  #framed = 0;

  private constructor(
    private readonly fixture: OrganizationsFixture,
    private readonly viewers: readonly Viewer[],
    private readonly decode: FrameDecoder,
    private readonly sharedId: string,
    private readonly ownerId: string,
  ) {}

  static async start(
    fixture: OrganizationsFixture,
    owner: InsertedAccount,
    organizationId: string,
    sharedId: string,
  ): Promise<FeedCrowd> {
    const admin = await insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' });
    const [member, idle] = [await fixture.createAccount('member'), await fixture.createAccount('idle')];
    await fixture.addMember(member, 'VIEWER', organizationId);
    await fixture.addMember(idle, 'MANAGER', organizationId);
    const strangers = await Promise.all(Array.from({ length: STRANGERS }, () => fixture.createAccount('stranger')));
    const viewers: Viewer[] = [];
    for (const account of [owner, member, idle, admin, ...strangers]) {
      const { id: deviceId } = await fixture.registerDevice(account);
      for (const batch of [false, true]) {
        const auth = { token: account.accessToken, clientType: 'dashboard', batch };
        const dashboard = await Dashboard.connect(fixture.application.url, auth);
        if (account !== idle && account !== owner) {
          await dashboard.request('subscribe_device', { deviceId: sharedId });
        }
        const isMember = account === member || account === idle;
        viewers.push({ account, dashboard, deviceId, isAdmin: account === admin, isMember });
      }
    }
    return new FeedCrowd(fixture, viewers, await documentedDecoder(), sharedId, owner.id);
  }

  stop(): void {
    this.viewers.forEach(({ dashboard }) => {
      dashboard.close();
    });
  }

  /** Messages that came in a frame, so far. */
  get framed(): number {
    return this.#framed;
  }

  /** Commits events of all types, and one last event for each person: a dashboard that has it has all it will get. */
  async round(random: () => number): Promise<FeedRound> {
    const events = Array.from({ length: EVENTS_PER_ROUND }, () => this.anyEvent(random));
    const last = randomUUID();
    const owners = new Map(this.viewers.map(({ account, deviceId }) => [account.id, deviceId]));
    const farewells = [...owners].map(([userId, deviceId]) => marked('motion_detected', last, { deviceId, userId }));
    this.viewers.forEach(({ dashboard }) => {
      dashboard.heard.length = 0;
    });
    const log = this.fixture.application.get(EventLog);
    await this.fixture.application.get(Transactions).run(() => log.append([...events, ...farewells]));
    for (const { dashboard } of this.viewers) {
      await eventually('a dashboard got its last event', () => this.marksOf(dashboard).includes(last));
      this.#framed += this.framedAt(dashboard).length;
    }
    return this.compare(events);
  }

  private compare(events: readonly NewEvent[]): FeedRound {
    const outcome = { pairs: 0, strays: 0, missing: 0 };
    for (const viewer of this.viewers) {
      const marks = new Set(this.marksOf(viewer.dashboard));
      for (const event of events) {
        const got = marks.has(markOf(event));
        if (this.maySee(viewer, event)) {
          outcome.missing += got ? 0 : 1;
        } else {
          outcome.pairs += 1;
          outcome.strays += got ? 1 : 0;
        }
      }
    }
    return outcome;
  }

  private maySee({ account, isAdmin, isMember }: Viewer, event: NewEvent): boolean {
    if (SOCKET_EVENTS[event.type] === null) {
      return false;
    }
    return (
      event.userId === account.id ||
      (event.type === 'system_alert' && isAdmin) ||
      (event.deviceId === this.sharedId && isMember && !OF_THEIR_OWN.has(event.type))
    );
  }

  /** Of any type; of a device of its own owner, of the shared one, of a person, or of nothing at all. */
  private anyEvent(random: () => number): NewEvent {
    const anyOf = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
    const { account, deviceId } = anyOf(this.viewers);
    const of = anyOf<Of>([
      { deviceId, userId: account.id },
      { deviceId: this.sharedId, userId: this.ownerId },
      { userId: account.id },
      {},
    ]);
    return marked(anyOf(EVENT_TYPES), randomUUID(), of);
  }

  private marksOf({ heard }: Dashboard): string[] {
    const alone = heard.filter(({ name }) => name in FEED_MESSAGES).map(({ payload }) => payload as FeedMessage);
    return [...alone, ...this.framedAt({ heard })].map(markOf);
  }

  private framedAt({ heard }: Pick<Dashboard, 'heard'>): FeedMessage[] {
    const frames = heard.filter(({ name }) => name === 'events');
    return frames.flatMap(({ payload }) => this.decode(payload as never).map(([, message]) => message));
  }
}

type Of = Pick<NewEvent, 'deviceId' | 'userId'>;

/** Who sees a device sees its events, but for these, or those that are for administrators. */
const OF_THEIR_OWN: ReadonlySet<EventType> = new Set(['device_deleted', 'system_alert']);

/** What an event says is no matter here, but for what tells it from others. */
function marked(type: EventType, mark: string, of: Of): NewEvent {
  return { type, payload: { mark }, source: 'system', actor: 'system', ...of } as unknown as NewEvent;
}

function markOf({ payload }: { readonly payload: object }): string {
  return (payload as { mark?: string }).mark ?? '';
}
