import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type AuditWriter } from '../../platform/audit/audit-writer.js';
import { type RepeatSafe } from '../../platform/idempotency/repeat-safe.js';
import { type Transactions } from '../../platform/prisma/transaction.js';
import { MembershipsService } from './memberships.service.js';
import { type MembershipsRepository } from './memberships.repository.js';
import { type Errand, type Roster } from './roster.js';

/** How both stand when their rows are locked, which may be otherwise than when the request was let in. */
let standing = { actor: 'OWNER', subject: 'OPERATOR', owners: 2 };
let changed = true;
/** What was done, in order. */
let done: string[] = [];

const errand: Errand = { organizationId: randomUUID(), actorId: randomUUID(), subjectId: randomUUID() };

const run = <T>(work: () => Promise<T>): Promise<T> => work();
const noted = (what: string) => (): Promise<void> => {
  done.push(what);
  return Promise.resolve();
};
const members = new MembershipsService(
  {
    lock: () => Promise.resolve(standing),
    remove: noted('removed'),
    changed: noted('told'),
  } as unknown as Roster,
  {
    change: () => Promise.resolve(changed),
    find: () => Promise.resolve(null),
  } as unknown as MembershipsRepository,
  { run } as unknown as Transactions,
  { record: noted('recorded') } as unknown as AuditWriter,
  { change: (_: string, work: () => Promise<void>) => work() } as unknown as RepeatSafe,
);

beforeEach(() => {
  standing = { actor: 'OWNER', subject: 'OPERATOR', owners: 2 };
  [changed, done] = [true, []];
});

describe('members of an organization that changed meanwhile', () => {
  it('are not removed by a manager once they are managers too', async () => {
    standing = { actor: 'MANAGER', subject: 'MANAGER', owners: 1 };
    await expect(members.remove(errand)).rejects.toMatchObject({ code: 'forbidden' });
    expect(done).toEqual([]);
  });

  it('are not made owners by one who is no owner any more', async () => {
    standing = { actor: 'MANAGER', subject: 'OPERATOR', owners: 1 };
    await expect(members.transfer(errand)).rejects.toMatchObject({ code: 'forbidden' });
    expect(done).toEqual([]);
  });

  it('get no role when their membership is not what it was', async () => {
    changed = false;
    await expect(members.changeRole(errand, 'MANAGER')).rejects.toMatchObject({ code: 'member_not_found' });
    expect(done).toEqual([]);
  });

  it('are not answered when they are gone', async () => {
    await expect(members.changeRole(errand, 'MANAGER')).rejects.toMatchObject({ code: 'member_not_found' });
  });
});
