import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof HISTORY_AUDIT.actions)[number], true> {}
}

export const HISTORY_AUDIT = {
  actions: ['device_history_read', 'device_watched', 'organization_watched'],
} as const satisfies AuditDeclaration;
