/** Crockford's base32: without I, L and O, which look like digits, and without U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
export const SECRET_CODE_BASE = ALPHABET.length;
/** Of 5 bits each: 100 bits. No number of guesses that the limits admit comes near. */
export const SECRET_CODE_LETTERS = 20;
const GROUP = /.{4}/g;
const READ_AS: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1' };

/** The code of 20 random bytes, for people to type and for QR codes: `7K2M-9QXT-0B4H-VWEN-3J8D`. */
export function secretCodeOf(random: Uint8Array): string {
  return grouped(
    Array.from(random.subarray(0, SECRET_CODE_LETTERS), (byte) => ALPHABET[byte % SECRET_CODE_BASE]).join(''),
  );
}

/** The values of its letters, without hyphens: what {@link secretCodeOf} makes the same letters of. */
export function secretCodeBytes(letters: string): Uint8Array {
  return Uint8Array.from(letters, (letter) => ALPHABET.indexOf(letter));
}

/**
 * The code in its one spelling, however it was typed: in any case, with or without hyphens and blanks, with O for 0 and I or L
 * for 1. Null for what is no code.
 */
export function readSecretCode(typed: string): string | null {
  const letters = typed
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll(/[OIL]/g, (letter) => READ_AS[letter] ?? letter);
  const isCode =
    letters.length === SECRET_CODE_LETTERS && Array.from(letters).every((letter) => ALPHABET.includes(letter));
  return isCode ? grouped(letters) : null;
}

function grouped(letters: string): string {
  return (letters.match(GROUP) ?? []).join('-');
}
