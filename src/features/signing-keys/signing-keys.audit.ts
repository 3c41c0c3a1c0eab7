import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof SIGNING_KEYS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof SIGNING_KEYS_AUDIT.entities> {}
}

export const SIGNING_KEYS_AUDIT = {
  actions: ['signing_keys_rotated', 'signing_key_retired'],
  entities: { key: 'kid' },
} as const satisfies AuditDeclaration;
