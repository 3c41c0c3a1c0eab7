import type { MailComposers, MailValuesOf } from '../../platform/mail/mail-template-registry.js';
import { linkTo, paragraphs, plain, type RenderedMail } from '../../platform/mail/mail-text.js';

declare module '../../contracts/mail.js' {
  interface MailTemplates extends MailValuesOf<typeof AUTH_MAIL> {}

  interface MailRequests {
    /** `identifier`: what was typed, folded. `knownDevice`: with it, what may name the account only, and is not counted yet. */
    password_reset: { identifier: string; from: MailAskedFrom; knownDevice?: string };
  }
}

/** What a security notice tells the owner of an account. */
export type SecurityNotice = keyof typeof NOTICES;

const NOTICES = {
  password_changed: 'Your password was changed, and your other sessions were ended.',
  password_reset: 'Your password was reset, and all your sessions were ended.',
  password_reset_by_admin:
    'An administrator reset your password, and all your sessions were ended. Whoever signs in with the one-time password of that reset chooses another one, and unlocks no door for the first 24 hours.',
  unlock_restricted:
    'A password was chosen for your account after an administrator had reset it, or had replaced its e-mail address. For 24 hours no door can be unlocked with your account.',
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

interface TokenForName {
  displayName: string;
  /** Becomes a link; it can be used once. */
  token: string;
}

export const AUTH_MAIL = {
  password_reset: ({ displayName, token }: TokenForName, publicUrl: string): RenderedMail => ({
    subject: 'Reset your password',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      'choose a new password here, once, within the next hour:',
      linkTo(publicUrl, 'reset-password', token),
      'If you did not ask for this, ignore this mail: your password stays as it is.',
    ),
  }),
  /** After an administrator made the account. */
  set_password: ({ displayName, token }: TokenForName, publicUrl: string): RenderedMail => ({
    subject: 'Choose your password',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      'an administrator prepared your account. Choose your password here, once:',
      linkTo(publicUrl, 'set-password', token),
    ),
  }),
  /** After an administrator took the password away. */
  password_taken_away: ({ displayName, token }: TokenForName, publicUrl: string): RenderedMail => ({
    subject: 'Choose another password',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      'an administrator reset your password, and all your sessions were ended. Choose another one here, once, within a week:',
      linkTo(publicUrl, 'set-password', token),
    ),
  }),
  /** After a password was chosen that an administrator may know; to an address that was the account's before. */
  unlock_confirmation: ({ displayName, token }: TokenForName, publicUrl: string): RenderedMail => ({
    subject: 'Was it you who chose a new password?',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      'a password was chosen for your account after an administrator had reset it. For 24 hours no door can be unlocked with your account. If it was you, say so here, once, and unlock doors at once:',
      linkTo(publicUrl, 'confirm-unlock', token),
      'If it was not you, do not follow the link. Reset your password, and tell those who run this service.',
    ),
  }),
  /** To the new e-mail address, which its owner confirms. */
  email_change: ({ displayName, token }: TokenForName, publicUrl: string): RenderedMail => ({
    subject: 'Confirm your e-mail address',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      'confirm that this is your new e-mail address:',
      linkTo(publicUrl, 'confirm-email', token),
      'If you did not ask for this, ignore this mail.',
    ),
  }),
  /** Confirms the e-mail address of an account that does not exist yet. */
  registration: ({ token }: { token: string }, publicUrl: string): RenderedMail => ({
    subject: 'Confirm your registration',
    text: paragraphs(
      'Hello,',
      'somebody, hopefully you, registered with this e-mail address. Confirm it within a day, with the password you chose:',
      linkTo(publicUrl, 'confirm-registration', token),
      'If it was not you, do not follow the link, and nothing happens.',
    ),
  }),
  /** Asks for nothing to be done, unless the recipient did not cause it. */
  security_notice: ({ displayName, notice }: { displayName: string; notice: SecurityNotice }): RenderedMail => ({
    subject: 'About the security of your account',
    text: paragraphs(
      `Hello ${plain(displayName)},`,
      NOTICES[notice],
      'If that was not you, reset your password and look at your sessions.',
    ),
  }),
} satisfies MailComposers;
