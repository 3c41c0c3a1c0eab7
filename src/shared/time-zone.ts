/** The words in names of time zones that are not written with one capital. */
const ODD_WORDS: ReadonlyMap<string, string> = new Map(
  `ACT CDT CET CHAT CST EDT EET EST GB GMT HST IN LHI MDT MET MST NSW NZ PDT PRC PST ROC ROK SU UCT US UTC WET
   of au es BajaNorte BajaSur ComodRivadavia DeNoronha DumontDUrville EasterIsland McMurdo`
    .split(/\s+/)
    .map((word) => [word.toLowerCase(), word]),
);

/**
 * The name of a time zone as the IANA database spells it, whatever its case was; null for what is no such name. Offsets
 * such as `+01:00` are none: they know no daylight saving time. A link is as good as its target, and stays: `Intl` knows
 * the target of some only by its former name, such as `Asia/Calcutta`.
 */
export function canonicalTimeZone(name: string): string | null {
  return /^[a-z]/i.test(name) && isKnown(name)
    ? name.toLowerCase().replace(/[a-z]+/g, (word) => ODD_WORDS.get(word) ?? capitalized(word))
    : null;
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
