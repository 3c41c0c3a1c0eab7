import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof ANALYTICS_AUDIT.actions)[number], true> {}
}

export const ANALYTICS_AUDIT = {
  actions: ['device_usage_read'],
} as const satisfies AuditDeclaration;
