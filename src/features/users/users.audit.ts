import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof USERS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof USERS_AUDIT.entities> {}
}

/** Accounts. What people do with them are actions of the features above; their end by time is none of those. */
export const USERS_AUDIT = {
  actions: ['account_removed'],
  entities: { user: 'userId' },
} as const satisfies AuditDeclaration;
