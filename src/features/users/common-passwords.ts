import { KNOWN_PHRASES } from './domain/known-phrases.js';
import { plainly } from './domain/password-guesses.js';

/** Attackers try a known phrase about as early as the hundredth password. */
const PHRASE_RANK = 100;

let loaded: Promise<ReadonlyMap<string, number>> | undefined;

/**
 * What attackers try first, with its rank. It is loaded when the first password is judged, so that a process that never
 * sees one does not need the memory.
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
