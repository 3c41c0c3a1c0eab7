import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof DEVICE_SETTINGS_AUDIT.actions)[number], true> {}
}

export const DEVICE_SETTINGS_AUDIT = {
  actions: ['device_settings_changed'],
} as const satisfies AuditDeclaration;
