import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof PRESENCE_AUDIT.actions)[number], true> {}
}

export const PRESENCE_AUDIT = {
  actions: ['device_diagnostics_read'],
} as const satisfies AuditDeclaration;
