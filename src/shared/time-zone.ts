/** The words in names of time zones that are not written with one capital. */
const ODD_WORDS: ReadonlyMap<string, string> = new Map(
  `ACT CDT CET CHAT CST EDT EET EST GB GMT HST IN LHI MDT MET MST NSW NZ PDT PRC PST ROC ROK SU UCT US UTC WET
   of au es BajaNorte BajaSur ComodRivadavia DeNoronha DumontDUrville EasterIsland McMurdo`
    .split(/\s+/)
    .map((word) => [word.toLowerCase(), word]),
);

/** Names that were found, in small letters, because `Intl` takes long to find one. What is no name is not kept. */
const KNOWN = new Map<string, string>();

/**
 * The name of a time zone as the IANA database spells it, whatever its case was; null for what is no such name. Offsets
 * such as `+01:00` are none: they know no daylight saving time. A link is as good as its target, and stays: `Intl` knows
 * the target of some only by its former name, such as `Asia/Calcutta`.
 */
export function canonicalTimeZone(name: string): string | null {
  if (!/^[a-z][\w/+-]*$/i.test(name)) {
    return null;
  }
  const key = name.toLowerCase();
  const found = KNOWN.get(key);
  if (found !== undefined || !isKnown(name)) {
    return found ?? null;
  }
  const spelt = key.replace(/[a-z]+/g, (word) => ODD_WORDS.get(word) ?? capitalized(word));
  KNOWN.set(key, spelt);
  return spelt;
}

function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
