import { localPart } from './names.js';
import { estimate, plainly } from './password-guesses.js';

export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 128;

/** Shorter names turn up in good passwords by chance. */
const MIN_NAME_LENGTH = 4;
/**
 * The guesses, as a power of ten, that a password must take an attacker who knows its owner and common passwords. Four
 * random words always do; so do twelve random characters.
 */
const ENOUGH_GUESSES = 9;
/** Names of this service, which people think of first when they choose a password for it. */
const SERVICE_NAMES = ['mortise', 'door', 'lock', 'doorlock', 'frontdoor', 'smartlock', 'smarthome'];

/** The person who is to have the password. */
export interface PasswordOwner {
  readonly email: string;
  readonly username?: string | null | undefined;
  readonly displayName?: string | undefined;
}

/** The one form of a password: the same characters, however the keyboard composed them. */
export function normalizePassword(password: string): string {
  return password.normalize('NFC');
}

/**
 * Why a password may not be used, as a sentence without its subject, or null. Length counts, not a mix of character classes (NIST SP 800-63B); what is
 * refused are the passwords an attacker tries first.
 * @param password normalized.
 * @param ranks common passwords with their ranks.
 */
export function passwordFault(
  password: string,
  owner: PasswordOwner,
  ranks: ReadonlyMap<string, number>,
): string | null {
  const length = Array.from(password).length;
  if (length < MIN_PASSWORD_LENGTH || length > MAX_PASSWORD_LENGTH) {
    return `must have ${String(MIN_PASSWORD_LENGTH)} to ${String(MAX_PASSWORD_LENGTH)} characters`;
  }
  const folded = password.toLowerCase();
  if (namesOf(owner).some((name) => folded.includes(name))) {
    return 'must not contain your username or the name in your e-mail address';
  }
  const names = new Set([...SERVICE_NAMES, ...contextOf(owner)]);
  const { guesses, named } = estimate(password, { ranks, names });
  if (guesses >= ENOUGH_GUESSES) {
    return null;
  }
  return named
    ? 'is little more than names of yours, of your e-mail address or of this service; add a few unrelated words'
    : 'is one of those that attackers try first; a few unrelated words make a good one';
}

function namesOf({ email, username }: PasswordOwner): string[] {
  return [localPart(email), username ?? ''].filter((name) => name.length >= MIN_NAME_LENGTH);
}

/** Every name in one word, and each of its words. */
function contextOf({ email, username, displayName }: PasswordOwner): string[] {
  return [email, localPart(email), email.slice(email.lastIndexOf('@') + 1), username ?? '', displayName ?? '']
    .flatMap((name) => [name, ...name.split(/[^\p{L}\p{N}]+/u)])
    .map(plainly)
    .filter((name) => name.length >= MIN_NAME_LENGTH);
}
