import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof REALTIME_AUDIT.actions)[number], true> {}
}

export const REALTIME_AUDIT = {
  actions: ['device_watched', 'organization_watched'],
} as const satisfies AuditDeclaration;
