import { describe, expect, it } from '@jest/globals';
import { ORGANIZATION_ROLES } from '../../../contracts/resources.js';
import { decidePermission, permits } from './device-access.js';

describe('decidePermission', () => {
  it('gives the owner everything, whatever their role in its organization', () => {
    for (const organizationRole of [null, ...ORGANIZATION_ROLES]) {
      expect(decidePermission({ owner: true, organizationRole })).toBe('admin');
    }
  });

  it('gives no permission to a user without ties', () => {
    expect(decidePermission({ owner: false, organizationRole: null })).toBeNull();
  });

  it.each([
    ['VIEWER', 'view'],
    ['OPERATOR', 'control'],
    ['MANAGER', 'admin'],
    ['OWNER', 'admin'],
  ] as const)('gives a %s of its organization %s', (organizationRole, permission) => {
    expect(decidePermission({ owner: false, organizationRole })).toBe(permission);
  });
});

describe('permits', () => {
  it('includes the levels below', () => {
    const control = { permission: 'control', owned: false } as const;
    expect([permits(control, 'view'), permits(control, 'control'), permits(control, 'admin')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('takes only the owner for `owner`, whatever the permission', () => {
    expect(permits({ permission: 'admin', owned: false }, 'owner')).toBe(false);
    expect(permits({ permission: 'admin', owned: true }, 'owner')).toBe(true);
  });
});
