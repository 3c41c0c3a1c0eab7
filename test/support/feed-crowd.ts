import { randomUUID } from 'node:crypto';
import type { NewEvent } from '../../src/contracts/events.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { insertAccount, type InsertedAccount } from './accounts.fixture.js';
import { Dashboard } from './dashboard.js';
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

type FeedEvent = NewEvent<'motion_detected' | 'system_alert'>;

/** Dashboards of people in every relation to a device that one of them shares with an organization. */
export class FeedCrowd {
  private constructor(
    private readonly fixture: OrganizationsFixture,
    private readonly viewers: readonly Viewer[],
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
      const dashboard = await Dashboard.signedIn(fixture.application.url, account.accessToken);
      if (account !== idle && account !== owner) {
        await dashboard.request('subscribe_device', { deviceId: sharedId });
      }
      const { id: deviceId } = await fixture.registerDevice(account);
      viewers.push({
        account,
        dashboard,
        deviceId,
        isAdmin: account === admin,
        isMember: account === member || account === idle,
      });
    }
    return new FeedCrowd(fixture, viewers, sharedId, owner.id);
  }

  stop(): void {
    this.viewers.forEach(({ dashboard }) => {
      dashboard.close();
    });
  }

  /** Commits events of all kinds, and one last event for each dashboard: once it has that, it has all it will get. */
  async round(random: () => number): Promise<FeedRound> {
    const events = Array.from({ length: EVENTS_PER_ROUND }, () => this.anyEvent(random));
    const last = randomUUID();
    const farewells = this.viewers.map(({ account, deviceId }) => motion(last, { deviceId, userId: account.id }));
    this.viewers.forEach(({ dashboard }) => {
      dashboard.received.length = 0;
    });
    const log = this.fixture.application.get(EventLog);
    await this.fixture.application.get(Transactions).run(() => log.append([...events, ...farewells]));
    for (const { dashboard } of this.viewers) {
      await eventually('a dashboard got its last event', () => marksOf(dashboard).includes(last));
    }
    return this.compare(events);
  }

  private compare(events: readonly FeedEvent[]): FeedRound {
    const outcome = { pairs: 0, strays: 0, missing: 0 };
    for (const viewer of this.viewers) {
      const marks = new Set(marksOf(viewer.dashboard));
      for (const event of events) {
        const got = marks.has(markOf(event.payload));
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

  private maySee({ account, isAdmin, isMember }: Viewer, event: FeedEvent): boolean {
    return (
      event.userId === account.id ||
      (event.type === 'system_alert' && isAdmin) ||
      (event.deviceId === this.sharedId && isMember)
    );
  }

  /** Of a device of its own owner, of the shared one, of a person, for administrators, or of nothing at all. */
  private anyEvent(random: () => number): FeedEvent {
    const mark = randomUUID();
    const { account, deviceId } = this.viewers[Math.floor(random() * this.viewers.length)]!;
    const kinds: (() => FeedEvent)[] = [
      () => motion(mark, { deviceId, userId: account.id }),
      () => motion(mark, { deviceId: this.sharedId, userId: this.ownerId }),
      () => motion(mark, { userId: account.id }),
      () => motion(mark, {}),
      () => alert(mark, {}),
      () => alert(mark, { userId: account.id }),
    ];
    return kinds[Math.floor(random() * kinds.length)]!();
  }
}

type Of = Pick<FeedEvent, 'deviceId' | 'userId'>;

function motion(mark: string, of: Of): FeedEvent {
  return { type: 'motion_detected', payload: { zone: mark }, source: 'system', actor: 'system', ...of };
}

function alert(mark: string, of: Of): FeedEvent {
  const payload = { alert: 'login_failures', scope: 'overall', failures: 1, windowSeconds: 60, userId: mark } as const;
  return { type: 'system_alert', payload, source: 'system', actor: 'system', ...of };
}

/** What tells one event from the others. */
function markOf(payload: object): string {
  const { zone, userId } = payload as { zone?: string; userId?: string };
  return zone ?? userId ?? '';
}

function marksOf(dashboard: Dashboard): string[] {
  return dashboard.received.map(({ message }) => markOf(message.payload));
}
