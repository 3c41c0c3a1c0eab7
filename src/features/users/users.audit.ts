import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditEntityTypes extends Readonly<typeof USERS_AUDIT.entities> {}
}

/** Accounts. Their actions belong to the features above. */
export const USERS_AUDIT = {
  actions: [],
  entities: { user: 'userId' },
} as const satisfies AuditDeclaration;
