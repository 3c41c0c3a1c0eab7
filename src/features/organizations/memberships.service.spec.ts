import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type AppConfig } from '../../config/app-config.js';
import { type AuditWriter } from '../../platform/audit/audit-writer.js';
import { type IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { type Transactions } from '../../platform/prisma/transactions.js';
import { type SignalBus } from '../../platform/redis/signal-bus.js';
import { type AccountStandingService } from '../users/account-standing.service.js';
import { type InvitationRevocationService } from './invitations/invitation-revocation.service.js';
import { type MembershipsRepository } from './memberships.repository.js';
import { MembershipsService } from './memberships.service.js';
import { type MembershipChange } from './organizations.types.js';

/** The roles once the organization is locked, which may differ from those that the guard read. */
let roles = { actor: 'OWNER', member: 'OPERATOR', otherOwners: 1 };
let changed = true;
/** What was done, in order. */
let done: string[] = [];

const change: MembershipChange = { organizationId: randomUUID(), actorId: randomUUID(), memberId: randomUUID() };

const run = <T>(work: () => Promise<T>): Promise<T> => work();
const members = new MembershipsService(
  {
    lockOrganization: () => Promise.resolve(true),
    findRoles: () => Promise.resolve(roles),
    changeRole: () => Promise.resolve(changed),
    remove: () => {
      done.push('removed');
      return Promise.resolve(true);
    },
    find: () => Promise.resolve(null),
  } as unknown as MembershipsRepository,
  { revokeBeyond: () => Promise.resolve() } as unknown as InvitationRevocationService,
  {
    lockActing: (ids: readonly string[]) => Promise.resolve(new Set(ids)),
    requireUnrestricted: () => Promise.resolve(),
  } as unknown as AccountStandingService,
  {} as unknown as AppConfig,
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
  roles = { actor: 'OWNER', member: 'OPERATOR', otherOwners: 1 };
  [changed, done] = [true, []];
});

describe('members of an organization that changed meanwhile', () => {
  it('are not removed by a manager once they are managers too', async () => {
    roles = { actor: 'MANAGER', member: 'MANAGER', otherOwners: 1 };
    await expect(members.remove(change)).rejects.toMatchObject({ code: 'forbidden' });
    expect(done).toEqual([]);
  });

  it('are not made owners by one who is no owner any more', async () => {
    roles = { actor: 'MANAGER', member: 'OPERATOR', otherOwners: 1 };
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
