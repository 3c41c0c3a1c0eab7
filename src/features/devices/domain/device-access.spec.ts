import { describe, expect, it } from '@jest/globals';
import { decidePermission, permits } from './device-access.js';

describe('decidePermission', () => {
  it('gives the owner everything, and nobody else anything', () => {
    expect(decidePermission({ owner: true })).toBe('admin');
    expect(decidePermission({ owner: false })).toBeNull();
  });
});

describe('permits', () => {
  it('includes the levels below', () => {
    const control = { permission: 'control', owned: false } as const;
    expect([permits(control, 'view'), permits(control, 'control'), permits(control, 'admin')]).toEqual([true, true, false]);
  });

  it('keeps what is the owner’s to the owner, whatever the permission', () => {
    expect(permits({ permission: 'admin', owned: false }, 'owner')).toBe(false);
    expect(permits({ permission: 'admin', owned: true }, 'owner')).toBe(true);
  });
});
