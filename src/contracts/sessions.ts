/** Why a session was ended before its time. */
export type RevocationReason =
  | 'logout'
  | 'logout_all'
  | 'logout_others'
  | 'revoked'
  | 'evicted'
  | 'token_reuse'
  | 'password_changed'
  | 'password_reset'
  | 'email_changed'
  | 'blocked'
  | 'role_changed'
  | 'account_deleted'
  | 'restored';

/** Why a session is over: told to its holder only. */
export type SessionEnd = RevocationReason | 'expired';
