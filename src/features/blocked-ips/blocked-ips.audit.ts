import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof BLOCKED_IPS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof BLOCKED_IPS_AUDIT.entities> {}
}

export const BLOCKED_IPS_AUDIT = {
  actions: ['address_unblocked', 'blocked_addresses_read'],
  entities: { address: 'address' },
} as const satisfies AuditDeclaration;
