/** What is audited: every change, authentication, and looking into other people's data. One name for each, snake_case. */
export const AUDIT_ACTIONS = [
  // Authentication
  'account_registered',
  'login',
  'session_refreshed',
  'logout',
  'session_revoked',
  'sessions_revoked',
  'session_evicted',
  'token_reuse_detected',
  'password_changed',
  'password_reset_requested',
  'password_reset',
  'signing_keys_rotated',
  'signing_key_retired',
  // Accounts
  'profile_updated',
  'preferences_updated',
  'email_change_requested',
  'email_changed',
  'account_deleted',
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
  'audit_read',
  'address_unblocked',
  // Organizations
  'organization_created',
  'organization_updated',
  'organization_deleted',
  'organization_transferred',
  'member_invited',
  'invitation_revoked',
  'member_joined',
  'member_role_changed',
  'member_removed',
  'member_left',
  // Devices and commands
  'device_registered',
  'device_updated',
  'device_deleted',
  'command_created',
  'command_cancelled',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/**
 * What an entry can be about; a `batch` is what one request did to many accounts, an `identifier` the name at a login
 * that nobody has, by a keyed hash.
 */
export const AUDIT_ENTITY_TYPES = [
  'user',
  'identifier',
  'batch',
  'session',
  'organization',
  'invitation',
  'device',
  'command',
  'address',
  'key',
  'audit',
] as const;

/** What an entry is about. */
export interface AuditEntity {
  readonly type: (typeof AUDIT_ENTITY_TYPES)[number];
  readonly id: string | null;
}

/** What a service says of what it did. Secrets do not belong into `before` and `after`. */
export interface AuditFacts {
  readonly entity: AuditEntity;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** What the route of a request promises to have audited, and whether it was. */
export interface AuditIntent {
  readonly action: AuditAction;
  recorded: boolean;
  /** What it is aimed at, as far as that is known before it succeeds. */
  target?: AuditEntity;
}
