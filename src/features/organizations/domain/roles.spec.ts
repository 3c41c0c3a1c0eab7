import { describe, expect, it } from '@jest/globals';
import { ORGANIZATION_ROLES } from '../../../contracts/resources.js';
import { canAssignRole, reaches } from './roles.js';

describe('reaches', () => {
  it('includes the roles below, and none above', () => {
    const included = ORGANIZATION_ROLES.map((role) => ORGANIZATION_ROLES.filter((needed) => reaches(role, needed)));
    expect(included).toEqual([
      ['VIEWER'],
      ['VIEWER', 'OPERATOR'],
      ['VIEWER', 'OPERATOR', 'MANAGER'],
      ['VIEWER', 'OPERATOR', 'MANAGER', 'OWNER'],
    ]);
  });
});

describe('canAssignRole', () => {
  it('lets owners give every role, managers those below their own, and others none', () => {
    const given = ORGANIZATION_ROLES.map((actor) => ORGANIZATION_ROLES.filter((role) => canAssignRole(actor, role)));
    expect(given).toEqual([[], [], ['VIEWER', 'OPERATOR'], ['VIEWER', 'OPERATOR', 'MANAGER', 'OWNER']]);
  });
});
