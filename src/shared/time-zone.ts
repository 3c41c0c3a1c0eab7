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

/** Names that `Intl` has from Java and the IANA database has not. What they mean is not what people mean: `BST` is Dhaka. */
const FOREIGN =
  /^(?:(?:ACT|AET|AGT|ART|AST|BET|BST|CAT|CNT|CST|CTT|EAT|ECT|IET|IST|JST|MIT|NET|NST|PLT|PNT|PRT|PST|SST|VST)|US\/Pacific-New|SystemV\/.*)$/i;

/** Whether a name that `Intl` knows is no name of the IANA database. Such names were accepted once, and may be stored. */
export function isForeignTimeZone(name: string): boolean {
  return FOREIGN.test(name);
}

/**
 * The name by which `AT TIME ZONE` of PostgreSQL reads a zone. It takes short names for abbreviations, which have no summer time, such
 * as `CET`: instead of them, and of foreign names, the zone that has their clocks.
 */
export function databaseTimeZone(name: string): string {
  return /^[a-z]{3,5}$/i.test(name) || isForeignTimeZone(name)
    ? new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
    : name;
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
