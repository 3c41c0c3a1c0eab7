import type { FieldError } from '../../../shared/domain-error.js';

export const USERNAME_RULE = 'username must have 3 to 32 of a-z 0-9 . _ -, with a letter or digit at both ends';
/** What a username is, after folding. */
export const USERNAME_PATTERN = /^[a-z0-9][a-z0-9._-]{1,30}[a-z0-9]$/;

/** Names that people take for the service itself, or for those who run it. */
const RESERVED_USERNAMES: ReadonlySet<string> = new Set(
  'admin administrator root system support help security mortise postmaster hostmaster webmaster abuse noreply no-reply api null undefined everybody'.split(
    ' ',
  ),
);

/**
 * The one spelling of an e-mail address or username: two that differ only in case or in how an accent is composed
 * belong to one person. An identifier with `@` is an address; no username holds one.
 */
export function fold(name: string): string {
  return name.toLowerCase().normalize('NFC');
}

export function isEmail(identifier: string): boolean {
  return identifier.includes('@');
}

export function localPart(email: string): string {
  return email.slice(0, email.lastIndexOf('@'));
}

/** What is wrong with the folded names of an account; empty when nothing is. */
export function nameFaults(email: string, username: string | null): FieldError[] {
  return [
    ...(/^[^@\s]+@[^@\s]+$/.test(email) ? [] : [{ detail: 'email must be an e-mail address', pointer: '/email' }]),
    ...(username === null || USERNAME_PATTERN.test(username) ? [] : [{ detail: USERNAME_RULE, pointer: '/username' }]),
    ...(username !== null && RESERVED_USERNAMES.has(username)
      ? [{ detail: 'username is reserved; choose another one', pointer: '/username' }]
      : []),
  ];
}
