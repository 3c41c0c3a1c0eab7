import { insertAccount, type InsertedAccount } from './accounts.fixture.js';
import { scaled } from './promise.js';
import { EVERY_DAY, type SharingFixture } from './sharing.fixture.js';

const CLOSES_IN_MS = 3_000;

/** A person with a right to two doors of Ada's: one that reports all the time, and one that is not connected. */
export interface PermissionScene {
  readonly ada: InsertedAccount;
  readonly grace: InsertedAccount;
  /** Whom Ada hands the doors to, where she does. */
  readonly heir: InsertedAccount;
  /** Whose the doors are. */
  readonly owner: InsertedAccount;
  readonly doors: readonly string[];
  readonly tokens: readonly string[];
  readonly shares: readonly string[];
  readonly organizationId: string;
  /** Of whose role all of it is, where it is a chain. */
  readonly manager: InsertedAccount | null;
}

/** Resolves when the right has ended, by the clock of this process. */
type End = (scene: PermissionScene, fixture: SharingFixture) => Promise<unknown>;

export interface PermissionEndCase {
  /** `chain`: a share that the holder of a share gave, whom a manager of the organization gave theirs. */
  readonly by: 'share' | 'organization' | 'chain';
  /** What is set once she hears of it. */
  readonly terms?: () => object;
  readonly end: End;
  /** She may look on, and order nothing any more. */
  readonly stillSees?: true;
  /** Who makes the doors work anew then. Where it is the heir, what Ada could see of them has ended, too. */
  readonly activatedBy?: 'ada' | 'heir';
  /** Her session has ended with it. */
  readonly isSignedOut?: true;
}

const onEach =
  (method: string, body?: object): End =>
  (scene, fixture) =>
    changeShares(scene, fixture, method, body);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const closing = (): string => new Date(Date.now() + CLOSES_IN_MS).toISOString();

/** Every way that a right to a device ends, or becomes less. */
export const PERMISSION_END_CASES: Readonly<Record<string, PermissionEndCase>> = {
  revoked: { by: 'share', end: onEach('DELETE') },
  suspended: { by: 'share', end: onEach('PATCH', { suspended: true }) },
  lowered: { by: 'share', end: onEach('PATCH', { permission: 'view' }), stillSees: true },
  left: {
    by: 'share',
    end: ({ grace, shares }, fixture) =>
      Promise.all(shares.map((id) => fixture.request(grace, 'DELETE', `/shares/${id}`))),
  },
  'over by its time': { by: 'share', terms: () => ({ until: closing() }), end: () => sleep(CLOSES_IN_MS) },
  transferred: { by: 'share', end: handOver, activatedBy: 'heir' },
  'of a device that is reset': {
    by: 'share',
    end: ({ ada, doors }, fixture) =>
      Promise.all(doors.map((id) => fixture.request(ada, 'POST', `/devices/${id}/factory-reset`))),
    activatedBy: 'ada',
  },
  'of an account that is blocked': { by: 'share', end: byAdmin('POST', '/block'), isSignedOut: true },
  'of an account that is deleted': { by: 'share', end: byAdmin('DELETE'), isSignedOut: true },
  'taken out of the organization with the device': {
    by: 'organization',
    end: ({ ada, doors }, fixture) =>
      Promise.all(doors.map((id) => fixture.request(ada, 'PATCH', `/devices/${id}`, { organizationId: null }))),
  },
  'removed from the organization': {
    by: 'organization',
    end: ({ ada, grace, organizationId }, fixture) =>
      fixture.request(ada, 'DELETE', `/organizations/${organizationId}/members/${grace.id}`),
  },
  'of an organization that is deleted': {
    by: 'organization',
    end: ({ ada, organizationId }, fixture) => fixture.request(ada, 'DELETE', `/organizations/${organizationId}`),
  },
  'demoted in the organization': {
    by: 'organization',
    end: ({ ada, grace, organizationId }, fixture) =>
      fixture.request(ada, 'PATCH', `/organizations/${organizationId}/members/${grace.id}`, { role: 'VIEWER' }),
    stillSees: true,
  },
  'with the role of the manager two steps up': {
    by: 'chain',
    end: ({ ada, manager, organizationId }, fixture) =>
      fixture.request(ada, 'DELETE', `/organizations/${organizationId}/members/${String(manager?.id)}`),
  },
  // It takes up to a minute, because schedules have no seconds.
  ...(scaled(0, 1) === 1 && {
    'closed by its schedule': {
      by: 'share',
      terms: () => ({ schedule: untilNextMinute() }),
      end: () => sleep(60_000 - (Date.now() % 60_000)),
    },
  }),
};

/** Ada changes or ends the shares of all doors. */
export function changeShares(
  { ada, doors, shares }: PermissionScene,
  fixture: SharingFixture,
  method: string,
  body?: object,
): Promise<unknown> {
  return Promise.all(
    doors.map((door, index) => fixture.request(ada, method, `/devices/${door}/shares/${String(shares[index])}`, body)),
  );
}

/** The heir accepts Ada's offers of all doors. */
async function handOver({ ada, heir, doors }: PermissionScene, fixture: SharingFixture): Promise<void> {
  const offers = await Promise.all(
    doors.map((id) => fixture.request<{ id: string }>(ada, 'POST', `/devices/${id}/transfer`, { email: heir.email })),
  );
  await Promise.all(
    offers.map(({ body }) => fixture.request(heir, 'POST', `/devices/transfers/${body.id}/accept`, {})),
  );
}

function byAdmin(method: string, path = ''): End {
  return async ({ grace }, fixture) => {
    const admin = await insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' });
    await fixture.request(admin, method, `/users/${grace.id}${path}`);
  };
}

/** Open until the end of this minute, by the wall of a place, and closed for some minutes then. */
function untilNextMinute(): object {
  const wall = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
  const [closes, opens] = [wall(1), wall(6)];
  const untilClosed = { days: EVERY_DAY, from: '00:00', until: closes };
  const fromOpen = { days: EVERY_DAY, from: opens, until: '24:00' };
  const isAcrossMidnight = opens < closes || closes === '00:00';
  return { timeZone: 'UTC', windows: isAcrossMidnight ? [{ ...fromOpen, until: closes }] : [untilClosed, fromOpen] };
}
