import { hardwareKey } from './hardware-key.js';

/** What of a search text is looked for: each word in the names, or, as a part of a hardware id, in its key. */
export interface SearchPatterns {
  readonly words: readonly string[];
  /** One for each word, null where it is too short: any number would be in some hardware id. */
  readonly keys: readonly (string | null)[];
  /** For a hardware id with blanks between its parts. */
  readonly wholeKey: string | null;
}

/** Further ones are not looked for: each costs a comparison with every device. */
const MAX_WORDS = 10;
const SHORTEST_KEY = 3;
const MARKS = /[\u0300-\u036f]/g;

/** Text without accents and case. SQL has the same: device-list-sql.ts. */
export function folded(text: string): string {
  return text.normalize('NFKD').replaceAll(MARKS, '').toLowerCase();
}

/** The patterns for LIKE of a search text: every word must be found, in any order. */
export function searchPatterns(text: string): SearchPatterns {
  const words = text.trim().split(/\s+/, MAX_WORDS);
  return {
    words: words.map((word) => contains(folded(word))),
    keys: words.map(keyPattern),
    wholeKey: keyPattern(text),
  };
}

function keyPattern(text: string): string | null {
  const key = hardwareKey(text);
  return key.length < SHORTEST_KEY ? null : contains(key);
}

function contains(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
