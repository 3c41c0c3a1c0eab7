import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type AuditWriter } from '../../platform/audit/audit-writer.js';
import { type IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { type Transactions } from '../../platform/prisma/transactions.js';
import { type SignalBus } from '../../platform/redis/signal-bus.js';
import { type MembershipsRepository } from './memberships.repository.js';
import { MembershipsService } from './memberships.service.js';
import { type OrganizationsRepository } from './organizations.repository.js';
import { type MembershipChange } from './organizations.types.js';

/** The roles once the organization is locked, which may differ from those that the guard read. */
let roles = { actor: 'OWNER', member: 'OPERATOR', owners: 2 };
let changed = true;
/** What was done, in order. */
let done: string[] = [];

const change: MembershipChange = { organizationId: randomUUID(), actorId: randomUUID(), memberId: randomUUID() };

const run = <T>(work: () => Promise<T>): Promise<T> => work();
const members = new MembershipsService(
  { lock: () => Promise.resolve(true) } as unknown as OrganizationsRepository,
  {
    findRoles: () => Promise.resolve(roles),
    changeRole: () => Promise.resolve(changed),
    remove: () => {
      done.push('removed');
      return Promise.resolve(true);
    },
    find: () => Promise.resolve(null),
  } as unknown as MembershipsRepository,
  { run, afterCommit: () => undefined } as unknown as Transactions,
  {} as unknown as SignalBus,
  {
    record: () => {
      done.push('recorded');
      return Promise.resolve();
    },
  } as unknown as AuditWriter,
  { change: (_: string, work: () => Promise<void>) => work() } as unknown as IdempotencyService,
);

beforeEach(() => {
  roles = { actor: 'OWNER', member: 'OPERATOR', owners: 2 };
  [changed, done] = [true, []];
});

describe('members of an organization that changed meanwhile', () => {
  it('are not removed by a manager once they are managers too', async () => {
    roles = { actor: 'MANAGER', member: 'MANAGER', owners: 1 };
    await expect(members.remove(change)).rejects.toMatchObject({ code: 'forbidden' });
    expect(done).toEqual([]);
  });

  it('are not made owners by one who is no owner any more', async () => {
    roles = { actor: 'MANAGER', member: 'OPERATOR', owners: 1 };
    await expect(members.transfer(change)).rejects.toMatchObject({ code: 'forbidden' });
    expect(done).toEqual([]);
  });

  it('get no role when their membership is not what it was', async () => {
    changed = false;
    await expect(members.changeRole(change, 'MANAGER')).rejects.toMatchObject({ code: 'member_not_found' });
    expect(done).toEqual([]);
  });

  it('are not answered when they are gone', async () => {
    await expect(members.changeRole(change, 'MANAGER')).rejects.toMatchObject({ code: 'member_not_found' });
  });
});
