import type { MailTemplate, MailTemplates, NewMail, SecurityNotice } from '../../contracts/mail.js';

/** A mail as it is read. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
}

const MAX_NAME_LENGTH = 60;

const NOTICES: Record<SecurityNotice, string> = {
  password_changed: 'Your password was changed, and your other sessions were ended.',
  password_reset: 'Your password was reset, and all your sessions were ended.',
  email_changed: 'The e-mail address of your account was changed; this one no longer belongs to it.',
  email_changed_by_admin:
    'An administrator changed the e-mail address of your account, and all sessions were ended; this address no longer belongs to it.',
  email_change_requested:
    'Somebody who knows your password asked for another e-mail address for your account. It changes when a link that was mailed there is followed. To take that back, change your password or end all your sessions.',
  registration_attempted:
    'Somebody tried to register an account with this e-mail address. You have one already: sign in, or reset your password.',
  session_evicted: 'You signed in once more than your account has sessions, so the oldest one was ended.',
  refresh_token_reused: 'A session of yours was ended, because its token was used twice: somebody may have copied it.',
};

type Composer<T extends MailTemplate> = (values: MailTemplates[T], publicUrl: string) => RenderedMail;

const COMPOSERS: { readonly [T in MailTemplate]: Composer<T> } = {
  password_reset: ({ displayName, token }, publicUrl) => ({
    subject: 'Reset your password',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      'choose a new password here, once, within the next hour:',
      linkTo(publicUrl, 'reset-password', token),
      'If you did not ask for this, ignore this mail: your password stays as it is.',
    ),
  }),
  set_password: ({ displayName, token }, publicUrl) => ({
    subject: 'Choose your password',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      'an administrator prepared your account. Choose your password here, once:',
      linkTo(publicUrl, 'set-password', token),
    ),
  }),
  email_change: ({ displayName, token }, publicUrl) => ({
    subject: 'Confirm your e-mail address',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      'confirm that this is your new e-mail address:',
      linkTo(publicUrl, 'confirm-email', token),
      'If you did not ask for this, ignore this mail.',
    ),
  }),
  registration: ({ token }, publicUrl) => ({
    subject: 'Confirm your registration',
    text: paragraphs(
      'Hello,',
      'somebody, hopefully you, registered with this e-mail address. Confirm it within a day, with the password you chose:',
      linkTo(publicUrl, 'confirm-registration', token),
      'If it was not you, do not follow the link, and nothing happens.',
    ),
  }),
  organization_invitation: ({ organizationName, inviterName, role, token }, publicUrl) => ({
    subject: 'You are invited to an organization',
    text: paragraphs(
      'Hello,',
      `${plain(inviterName)} invites you to the organization "${plain(organizationName)}", as ${role.toLowerCase()}:`,
      linkTo(publicUrl, 'accept-invitation', token),
      'If you do not know who that is, ignore this mail.',
    ),
  }),
  security_notice: ({ displayName, notice }) => ({
    subject: 'About the security of your account',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      NOTICES[notice],
      'If that was not you, reset your password and look at your sessions.',
    ),
  }),
};

/** The words of a mail. */
export function compose<T extends MailTemplate>(
  { template, values }: { readonly template: T; readonly values: MailTemplates[T] },
  publicUrl: string,
): RenderedMail {
  return COMPOSERS[template](values, publicUrl);
}

/** The same mail with what a log may show: everything but the token. */
export function redacted(mail: NewMail): NewMail {
  return 'token' in mail.values ? ({ ...mail, values: { ...mail.values, token: '[redacted]' } } as NewMail) : mail;
}

/** The token stands behind the `#`: browsers send that to no server, so it is in no access log and no Referer. */
function linkTo(publicUrl: string, page: string, token: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/${page}#token=${token}`;
}

/** What people call themselves, on one line, and nothing a mail program would turn into a link. */
function plain(name: string): string {
  return Array.from(name.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').replace(/[:/@<>]+|\.(?=\S)/g, ' '))
    .slice(0, MAX_NAME_LENGTH)
    .join('')
    .trim();
}

function paragraphs(...lines: readonly string[]): string {
  return `${lines.join('\n\n')}\n`;
}
