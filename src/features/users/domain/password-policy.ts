import { COMMON_PASSWORDS, COMMON_WORDS } from './common-passwords.js';
import { localPart } from './names.js';

export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 128;

/** Shorter names turn up in good passwords by chance. */
const MIN_NAME_LENGTH = 4;
const MIN_DISTINCT_CHARACTERS = 5;
/** Rows of a keyboard, digits and the alphabet, each going on from its end. */
const RUNS = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm', '1qaz2wsx3edc4rfv5tgb6yhn7ujm']
  .flatMap((run) => [run, Array.from(run).reverse().join('')])
  .map((run) => run.repeat(Math.ceil(MAX_PASSWORD_LENGTH / run.length) + 1));

/** Whose password it is to be. */
export interface PasswordOwner {
  readonly email: string;
  readonly username?: string | null | undefined;
}

/** The one form of a password: the same characters, however the keyboard composed them. */
export function normalizePassword(password: string): string {
  return password.normalize('NFC');
}

/**
 * Why a password may not be used, or null. Length counts, not a mix of character classes (NIST SP 800-63B); what is
 * refused are the passwords an attacker tries first.
 * @param password normalized.
 */
export function passwordFault(password: string, owner: PasswordOwner): string | null {
  const length = Array.from(password).length;
  if (length < MIN_PASSWORD_LENGTH || length > MAX_PASSWORD_LENGTH) {
    return `password must have ${String(MIN_PASSWORD_LENGTH)} to ${String(MAX_PASSWORD_LENGTH)} characters`;
  }
  const folded = password.toLowerCase();
  if (namesOf(owner).some((name) => folded.includes(name))) {
    return 'password must not contain your username or the name in your e-mail address';
  }
  if (isCommon(folded) || isPattern(folded)) {
    return 'password is one of those that attackers try first; a few unrelated words make a good one';
  }
  return null;
}

function namesOf({ email, username }: PasswordOwner): string[] {
  return [localPart(email), username ?? ''].filter((name) => name.length >= MIN_NAME_LENGTH);
}

/** A listed password, spaced out or not, or a common word that was only padded: `Password2024!!`. */
function isCommon(folded: string): boolean {
  const joined = folded.replace(/[\s._-]+/g, '');
  const word = folded.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  return COMMON_PASSWORDS.has(folded) || COMMON_PASSWORDS.has(joined) || COMMON_WORDS.has(word);
}

/** Too few different characters, a short piece over and over, or a run along the keyboard. */
function isPattern(folded: string): boolean {
  return (
    new Set(folded).size < MIN_DISTINCT_CHARACTERS ||
    /^(.{1,6})\1+$/u.test(folded) ||
    RUNS.some((run) => run.includes(folded))
  );
}
