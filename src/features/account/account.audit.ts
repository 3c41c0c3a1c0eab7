import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof ACCOUNT_AUDIT.actions)[number], true> {}
}

export const ACCOUNT_AUDIT = {
  actions: ['profile_updated', 'preferences_updated', 'email_change_requested', 'account_deleted'],
} as const satisfies AuditDeclaration;
