import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof USER_ADMIN_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof USER_ADMIN_AUDIT.entities> {}
}

/** A `batch` is what one request did to many accounts. */
export const USER_ADMIN_AUDIT = {
  actions: [
    'user_created',
    'user_updated',
    'user_role_changed',
    'user_blocked',
    'user_unblocked',
    'user_deleted',
    'user_restored',
    'user_password_reset',
    'users_created',
    'users_deleted',
    'users_imported',
    'users_exported',
    'users_read',
  ],
  entities: { batch: null },
} as const satisfies AuditDeclaration;
