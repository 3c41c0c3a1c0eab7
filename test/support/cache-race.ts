import { setTimeout as pause } from 'node:timers/promises';
import { insertAccount, type InsertedAccount } from './accounts.fixture.js';
import { type CacheKeys, isHit, read } from './cache.fixture.js';
import { registerDevice } from './devices.fixture.js';
import { type Answer, request } from './rest.js';
import { Sql } from './sql.js';
import type { TestApp } from './test-app.js';
import { eventually } from './wait.js';

/** People who see the same devices, each by a way of their own. */
export interface Household {
  readonly owner: InsertedAccount;
  readonly guest: InsertedAccount;
  readonly member: InsertedAccount;
  readonly devices: readonly string[];
  readonly shareIds: readonly string[];
}

/** Two devices of an organization with their owner, who shares them with a guest, and a member who may see them. */
export async function createHousehold(app: TestApp): Promise<Household> {
  const [owner, guest, member] = await Promise.all([insertAccount(app), insertAccount(app), insertAccount(app)]);
  const ask = async (method: string, path: string, body: object): Promise<string> => {
    const options = { token: owner.accessToken, body };
    return (await request<{ id: string }>(app.url, method, `/api/v1${path}`, options)).body.id;
  };
  const organizationId = await ask('POST', '/organizations', { name: 'House' });
  // By the application: what ends because of rows that it was not told of would end a second later, in the middle of a test.
  const membership = `INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'VIEWER')`;
  await app.rows(membership, [organizationId, member.id]);
  const devices = [(await registerDevice(app.url, owner)).id, (await registerDevice(app.url, owner)).id];
  const shareIds: string[] = [];
  for (const id of devices) {
    await ask('PATCH', `/devices/${id}`, { organizationId });
    shareIds.push(await ask('POST', `/devices/${id}/shares`, { email: guest.email, permission: 'view' }));
  }
  return { owner, guest, member, devices, shareIds };
}

/** What a list of devices shows of each. */
export interface Listed {
  readonly items: readonly { readonly id: string; readonly name: string; readonly version: number }[];
}

const PATHS = ['/devices?limit=50', '/devices?fields=id,name,version&sort=name'];
const WRITE_PAUSE_MS = 2_000;
const LOST_PAUSE_MS = 20;

/** Writers and readers of devices, who remember what they were told. */
export class CacheRace {
  readonly counts = { writes: 0, reads: 0, hits: 0, notModified: 0, lost: 0, kills: 0, wipes: 0 };
  /** Answers that were older than a write that had been answered before they were asked for. */
  readonly stale: string[] = [];
  /** The highest version of each device that a writer was told of. */
  readonly #told = new Map<string, number>();

  constructor(
    private readonly bases: readonly string[],
    private readonly isRunning: () => boolean,
  ) {}

  /** Changes one device of a household, over every process in turn. */
  async write({ owner, devices }: Household, index: number): Promise<void> {
    const id = devices[index % devices.length] ?? '';
    for (let turn = 0; this.isRunning(); turn++) {
      const answer = await this.orLost(
        request<{ version: number }>(this.baseOf(index + turn), 'PATCH', `/api/v1/devices/${id}`, {
          token: owner.accessToken,
          body: { name: `${String(index)}-${String(turn)}` },
        }),
      );
      if (answer?.status === 200) {
        this.counts.writes++;
        this.#told.set(id, Math.max(this.#told.get(id) ?? 0, answer.body.version));
      }
      await pause(Math.random() * WRITE_PAUSE_MS);
    }
  }

  /** Reads the list of one of its people, every other time with what it has of it. */
  async read(household: Household, index: number): Promise<void> {
    const { accessToken } = [household.owner, household.guest, household.member][index % 3] ?? household.owner;
    const path = PATHS[index % 2] ?? '';
    let held: Answer<Listed> | undefined;
    for (let turn = 0; this.isRunning(); turn++) {
      const before = household.devices.map((id) => [id, this.#told.get(id) ?? 0] as const);
      const reader = { base: this.baseOf(index + turn), accessToken };
      const answer = await this.orLost(read<Listed>(reader, path, turn % 2 === 0 ? conditionOn(held) : {}));
      if (answer?.status === 200) {
        held = answer;
      }
      if (answer && held && [200, 304].includes(answer.status)) {
        this.note(answer);
        this.compare(held.body, before, path);
      }
    }
  }

  private note(answer: Answer<unknown>): void {
    this.counts.reads++;
    this.counts.hits += isHit(answer) ? 1 : 0;
    this.counts.notModified += answer.status === 304 ? 1 : 0;
  }

  private compare({ items }: Listed, before: readonly (readonly [string, number])[], path: string): void {
    const shown = new Map(items.map(({ id, version }) => [id, version]));
    for (const [id, version] of before) {
      if ((shown.get(id) ?? -1) < version) {
        this.stale.push(`${path}: ${String(shown.get(id))} after ${String(version)}`);
      }
    }
  }

  /** What a killed process was asked may have happened, or not: it answers nothing. */
  private orLost<T>(work: Promise<T>): Promise<T | null> {
    return work.catch(async () => {
      this.counts.lost++;
      await pause(LOST_PAUSE_MS);
      return null;
    });
  }

  private baseOf(index: number): string {
    return this.bases[index % this.bases.length] ?? '';
  }
}

function conditionOn(held: Answer<unknown> | undefined): Record<string, string> {
  const etag = held?.headers.get('etag');
  return etag ? { 'if-none-match': etag } : {};
}

/** Does something while a change of a device stands behind its mark, before COMMIT. @returns what the change was answered, if it was */
export async function behindMark<T>(
  databaseUrl: string,
  keys: CacheKeys,
  id: string,
  write: (path: string) => Promise<T>,
  during: () => Promise<void>,
): Promise<T | null> {
  const lock = await Sql.open(databaseUrl);
  let written: Promise<T | null>;
  try {
    // The event of the change is sent with COMMIT, behind the mark, and waits: the server goes on when the process is gone.
    await lock.rows('BEGIN');
    await lock.rows('LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
    written = write(`/devices/${id}`).catch(() => null);
    await eventually('the mark is open', async () => (await keys.marked()).includes(`device:${id}`));
    await during();
  } finally {
    await lock.end();
  }
  return written;
}
