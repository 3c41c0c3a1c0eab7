import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof AUDIT_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof AUDIT_AUDIT.entities> {}
}

export const AUDIT_AUDIT = {
  actions: ['audit_read'],
  entities: { audit: null },
} as const satisfies AuditDeclaration;
