export interface SearchedRate {
  /** The highest that was sustained; 0 where none was. */
  readonly perSecond: number;
  readonly windows: number;
}

const LOWEST = 64;
const HIGHEST = 32_000;
const MOST_WINDOWS = 18;
/** Two rates that are no further apart are one. */
const CLOSE = 1.08;

/** Doubles the rate until it is not sustained, then halves the gap. A rate that failed once is tried again: one pause is none of its making. */
export async function highestRate(sustains: (perSecond: number) => Promise<boolean>): Promise<SearchedRate> {
  let windows = 0;
  const isSustained = async (perSecond: number): Promise<boolean> => {
    windows += 1;
    if (await sustains(perSecond)) {
      return true;
    }
    windows += 1;
    return sustains(perSecond);
  };
  let good = 0;
  let bad = LOWEST;
  while (bad <= HIGHEST && (await isSustained(bad))) {
    good = bad;
    bad *= 2;
  }
  while (good > 0 && bad / good > CLOSE && windows < MOST_WINDOWS) {
    const middle = Math.round((good + bad) / 2);
    if (await isSustained(middle)) {
      good = middle;
    } else {
      bad = middle;
    }
  }
  return { perSecond: good, windows };
}
