/** What a security notice tells the owner of an account. */
export type SecurityNotice =
  | 'password_changed'
  | 'password_reset'
  | 'email_changed'
  | 'email_changed_by_admin'
  | 'email_change_requested'
  | 'registration_attempted'
  | 'session_evicted'
  | 'refresh_token_reused';

/**
 * Every mail we send, with what it says. A `token` becomes a link; it is good once. Names are shown as plain text:
 * what people call themselves cannot become a link or a line of its own.
 */
export interface MailTemplates {
  /** Somebody forgot the password. */
  password_reset: { displayName: string; token: string };
  /** An administrator made the account, or reset its password: its owner chooses one. */
  set_password: { displayName: string; token: string };
  /** To the new address, which its owner confirms. */
  email_change: { displayName: string; token: string };
  /** Confirms the address of an account that does not exist yet. */
  registration: { token: string };
  organization_invitation: { organizationName: string; inviterName: string; role: string; token: string };
  /** Nothing to be done, unless it was somebody else. */
  security_notice: { displayName: string; notice: SecurityNotice };
}
export type MailTemplate = keyof MailTemplates;

/** A mail to be sent. */
export type NewMail = {
  [T in MailTemplate]: { readonly to: string; readonly template: T; readonly values: MailTemplates[T] };
}[MailTemplate];

/** Where a request for mail came from, for the audit trail. */
export interface MailAskedFrom {
  readonly requestId: string;
  readonly address: string | null;
  readonly userAgent: string | null;
}

/**
 * Mails that are asked for by who must not learn whether anybody gets one: whom they are for is found out when they are
 * sent, so that neither the answer nor its time can tell.
 */
export interface MailRequests {
  /** What was typed, folded. */
  password_reset: { identifier: string; from: MailAskedFrom };
}
export type MailRequestName = keyof MailRequests;

export type MailRequest = {
  [N in MailRequestName]: { readonly request: N; readonly details: MailRequests[N] };
}[MailRequestName];

/** The same work as for a mail, for nobody. */
export interface NoMail {
  readonly instead: NewMail;
}

/** What waits to be sent. */
export type PendingMail = NewMail | MailRequest | NoMail;
