import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEVICE_PERMISSIONS } from '../../../contracts/devices.js';
import { ORGANIZATION_ROLES } from '../../../contracts/resources.js';
import { permissionOfRole } from '../device-permission.types.js';
import {
  decideAccess,
  decidePermission,
  type DeviceTies,
  type EffectiveShare,
  permits,
  stateOfShare,
} from './device-access.js';

const NOON = new Date('2026-12-01T12:00:00Z');
const ALWAYS: EffectiveShare = {
  permission: 'control',
  from: null,
  until: null,
  schedule: null,
  suspended: false,
  under: null,
};
const NO_TIES = { owner: false, organizationRole: null, share: null };
const aTime = fc.option(fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true }));
const aShare = fc.record<EffectiveShare>({
  under: fc.constant(null),
  permission: fc.constantFrom(...DEVICE_PERMISSIONS),
  from: aTime,
  until: aTime,
  schedule: fc.constantFrom(
    null,
    { timeZone: 'Europe/Berlin', windows: [{ days: ['TU'], from: '12:00', until: '14:00' }] } as const,
    { timeZone: 'America/New_York', windows: [{ days: ['TU'], from: '12:00', until: '14:00' }] } as const,
  ),
  suspended: fc.boolean(),
});
const aRole = fc.option(fc.constantFrom(...ORGANIZATION_ROLES));
const rank = (permission: (typeof DEVICE_PERMISSIONS)[number] | null): number =>
  permission === null ? -1 : DEVICE_PERMISSIONS.indexOf(permission);

describe('decidePermission', () => {
  it('gives the owner everything, whatever else ties them to it', () => {
    fc.assert(
      fc.property(aRole, fc.option(aShare), (organizationRole, share) => {
        expect(decidePermission({ owner: true, organizationRole, share }, NOON)).toBe('admin');
      }),
    );
  });

  it('gives no permission to a user without ties', () => {
    expect(decidePermission(NO_TIES, NOON)).toBeNull();
  });

  it.each([
    ['VIEWER', 'view'],
    ['OPERATOR', 'control'],
    ['MANAGER', 'admin'],
    ['OWNER', 'admin'],
  ] as const)('gives a %s of its organization %s', (organizationRole, permission) => {
    expect(decidePermission({ ...NO_TIES, organizationRole }, NOON)).toBe(permission);
  });

  it('gives exactly the greater of the role and of a share that is open', () => {
    fc.assert(
      fc.property(aRole, aShare, (organizationRole, share) => {
        const byShare = stateOfShare(share, NOON) === 'open' ? share.permission : null;
        const byRole = organizationRole === null ? null : permissionOfRole(organizationRole);
        const decided = decidePermission({ owner: false, organizationRole, share }, NOON);
        expect(rank(decided)).toBe(Math.max(rank(byRole), rank(byShare)));
      }),
    );
  });

  it('gives nothing by a share that is suspended, not yet or no longer valid', () => {
    fc.assert(
      fc.property(aShare, (share) => {
        const isOver = share.until !== null && share.until <= NOON;
        const isEarly = share.from !== null && share.from > NOON;
        if (share.suspended || isOver || isEarly) {
          expect(decidePermission({ ...NO_TIES, share }, NOON)).toBeNull();
        }
      }),
    );
  });
});

describe('stateOfShare', () => {
  it.each<[Partial<EffectiveShare>, string]>([
    [{}, 'open'],
    [{ suspended: true }, 'suspended'],
    [{ from: NOON }, 'open'],
    [{ from: new Date(NOON.getTime() + 1) }, 'not_yet'],
    [{ until: NOON }, 'over'],
    [{ until: new Date(NOON.getTime() + 1) }, 'open'],
    [{ schedule: { timeZone: 'Europe/Berlin', windows: [{ days: ['TU'], from: '13:00', until: '13:01' }] } }, 'open'],
    [{ schedule: { timeZone: 'Europe/Berlin', windows: [{ days: ['TU'], from: '13:01', until: '13:00' }] } }, 'closed'],
  ])('of %j at noon is %s', (terms, state) => {
    expect(stateOfShare({ ...ALWAYS, ...terms }, NOON)).toBe(state);
  });
});

describe('A share that was given by the holder of another right', () => {
  it('is open only while all rights above it are, and each of them is admin', () => {
    fc.assert(
      fc.property(aShare, fc.array(aShare, { maxLength: 3 }), (share, above) => {
        const under = above.reduceRight<EffectiveShare | null>((highest, each) => ({ ...each, under: highest }), null);
        const stand = above.every((each) => stateOfShare(each, NOON) === 'open' && each.permission === 'admin');
        const isOpen = stateOfShare(share, NOON) === 'open';
        expect(stateOfShare({ ...share, under }, NOON) === 'open').toBe(stand && isOpen);
      }),
    );
  });
});

describe('permits', () => {
  it('includes the levels below', () => {
    const control = { permission: 'control', owned: false, managed: false } as const;
    expect([permits(control, 'view'), permits(control, 'control'), permits(control, 'admin')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('takes only the owner for `owner`, whatever the permission', () => {
    expect(permits({ permission: 'admin', owned: false, managed: true }, 'owner')).toBe(false);
    expect(permits({ permission: 'admin', owned: true, managed: true }, 'owner')).toBe(true);
  });

  it('takes an `admin` that is no share for `manager`', () => {
    const may = (ties: Partial<DeviceTies>): boolean | null => {
      const access = decideAccess({ ...NO_TIES, share: { ...ALWAYS, permission: 'admin' }, ...ties }, NOON);
      return access && permits(access, 'admin') && permits(access, 'manager');
    };
    expect([may({}), may({ organizationRole: 'OPERATOR' })]).toEqual([false, false]);
    expect([may({ owner: true }), may({ organizationRole: 'MANAGER' })]).toEqual([true, true]);
  });
});
