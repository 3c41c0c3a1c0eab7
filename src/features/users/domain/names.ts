import type { FieldError } from '../../../shared/domain-error.js';
import { canonicalIdentifier, emailFault } from '../../../shared/identifiers.js';
import type { AccountChanges } from '../users.types.js';

/** Roughly: requests are checked more closely. */
const EMAIL_PATTERN = /^[^@\s]+@[^@\s]+$/;
export const USERNAME_RULE = 'must have 3 to 32 of a-z 0-9 . _ -, with a letter or digit at both ends';
/** What a username is, after folding. */
export const USERNAME_PATTERN = /^[a-z0-9][a-z0-9._-]{1,30}[a-z0-9]$/;

/** Names that people would take for the service itself, or for those who run it. */
const RESERVED_USERNAMES: ReadonlySet<string> = new Set(
  'admin administrator root system support help security mortise postmaster hostmaster webmaster abuse noreply no-reply api null undefined everybody'.split(
    ' ',
  ),
);

/** The names of an account as they are kept. */
export interface FoldedNames {
  readonly email: string;
  readonly username: string | null;
  readonly displayName: string;
}

/** Names of an account to be changed, as they are kept; what is missing stays. */
export type FoldedChanges = Partial<FoldedNames>;

/** What an identifier is, in its one spelling. With an `@` it is an e-mail address, because no username holds one. */
export function uniqueName(identifier: string): { readonly email: string } | { readonly username: string } {
  const name = canonicalIdentifier(identifier);
  return name.includes('@') ? { email: name } : { username: name };
}

export function localPart(email: string): string {
  return email.slice(0, email.lastIndexOf('@'));
}

/**
 * The names of an account to be. Without a display name it is called by its username, or the local part of its e-mail
 * address.
 */
export function foldedNames(account: {
  readonly email: string;
  readonly username?: string | null | undefined;
  readonly displayName?: string | undefined;
}): FoldedNames {
  const email = canonicalIdentifier(account.email);
  const username = typeof account.username === 'string' ? canonicalIdentifier(account.username) : null;
  return { email, username, displayName: account.displayName?.normalize('NFC').trim() ?? username ?? localPart(email) };
}

/** The members that are given, as they are kept. */
export function foldedChanges({ email, username, displayName }: AccountChanges): FoldedChanges {
  return {
    ...(email === undefined ? {} : { email: canonicalIdentifier(email) }),
    ...(username === undefined ? {} : { username: username === null ? null : canonicalIdentifier(username) }),
    ...(displayName === undefined ? {} : { displayName: displayName.normalize('NFC').trim() }),
  };
}

/**
 * What is wrong with the folded names of an account that is new, or gets these; empty when nothing is.
 * @param email null: it does not change.
 */
export function nameFaults(email: string | null, username: string | null): FieldError[] {
  const emailDetail =
    email === null ? null : EMAIL_PATTERN.test(email) ? emailFault(email) : 'must be an e-mail address';
  return [
    ...(emailDetail === null ? [] : [{ detail: `\`email\` ${emailDetail}`, pointer: '/email' }]),
    ...(username === null || USERNAME_PATTERN.test(username)
      ? []
      : [{ detail: `\`username\` ${USERNAME_RULE}`, pointer: '/username' }]),
    ...(username !== null && RESERVED_USERNAMES.has(username)
      ? [{ detail: '`username` is reserved; choose another one', pointer: '/username' }]
      : []),
  ];
}
