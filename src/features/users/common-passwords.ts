import { KNOWN_PHRASES } from './domain/known-phrases.js';
import { plainly } from './domain/password-guesses.js';

/** A phrase is tried as early as the hundredth password. */
const PHRASE_RANK = 100;

let loaded: Promise<ReadonlyMap<string, number>> | undefined;

/**
 * What attackers try first, and in which order. It is loaded with the first password that is judged: a process that never
 * sees one does not pay for it.
 */
export function commonPasswords(): Promise<ReadonlyMap<string, number>> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<ReadonlyMap<string, number>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  const passwords = dictionary['passwords-common'] as readonly string[];
  return new Map([
    ...KNOWN_PHRASES.map((phrase) => [plainly(phrase), PHRASE_RANK] as const),
    ...passwords.map((password, place) => [password, place + 1] as const),
  ]);
}
