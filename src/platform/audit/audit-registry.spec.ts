import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditAction, AuditEntityType } from '../../contracts/audit.js';
import { AuditRegistry } from './audit-registry.js';

const [RENAMED, MOVED] = ['renamed', 'moved'] as unknown as [AuditAction, AuditAction];
const HOUSE = 'house' as AuditEntityType;

let registry: AuditRegistry;

beforeEach(() => {
  registry = new AuditRegistry();
  registry.register({ actions: [RENAMED], entities: { [HOUSE]: 'houseId' } });
});

describe('AuditRegistry', () => {
  it('refuses a name that two features register', () => {
    expect(() => {
      registry.register({ actions: [RENAMED] });
    }).toThrow('"renamed" is registered twice');
    expect(() => {
      registry.register({ actions: [MOVED], entities: { ['garden' as AuditEntityType]: 'houseId' } });
    }).toThrow('"houseId" is registered twice');
  });

  it('refuses a filter that names what is not registered, and says what is', () => {
    registry.assertKnown({ action: RENAMED, entityType: HOUSE });
    registry.assertKnown({});
    expect(() => {
      registry.assertKnown({ action: MOVED });
    }).toThrow(
      expect.objectContaining({ errors: [{ pointer: '/action', detail: '`action` must be one of renamed' }] }),
    );
  });
});
