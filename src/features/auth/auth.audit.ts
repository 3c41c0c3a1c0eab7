import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof AUTH_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof AUTH_AUDIT.entities> {}
}

/** An `identifier` is the name of a failed login that no account has, as a keyed hash. */
export const AUTH_AUDIT = {
  actions: [
    'account_registered',
    'login',
    'session_refreshed',
    'refresh_repeated',
    'logout',
    'session_revoked',
    'sessions_revoked',
    'session_evicted',
    'token_reuse_detected',
    'password_changed',
    'password_reset_requested',
    'password_reset',
    'unlock_confirmed',
    'email_changed',
  ],
  entities: { identifier: null, session: 'sessionId' },
} as const satisfies AuditDeclaration;
