/**
 * Every mail we send, by template, with its values. The owner of a template adds it here by declaration merging, beside
 * the text that it registers with `MailModule.forFeature`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are merged in
export interface MailTemplates {}
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
 * Mails whose recipient is only found out when they are sent, so that neither the answer to the request nor its time
 * tells whether there is one. The owner adds the details of a request here, and registers its writer with
 * `MailRequestRegistry`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are merged in
export interface MailRequests {}
export type MailRequestName = keyof MailRequests;

export type MailRequest = {
  [N in MailRequestName]: { readonly request: N; readonly details: MailRequests[N] };
}[MailRequestName];

/** The same work as for a mail, without a recipient. */
export interface NoMail {
  readonly instead: NewMail;
}

/** What waits to be sent. */
export type PendingMail = NewMail | MailRequest | NoMail;
