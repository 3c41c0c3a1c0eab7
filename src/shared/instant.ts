const WRITTEN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** RFC 3339: date, time of day, fractions of a second, and `Z` or the offset from UTC. */
const TYPED = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const END = Date.UTC(10_000, 0, 1);

/** Whether `text` is a time as we write it (RFC 3339 in UTC, to the millisecond, 1970 to 9999): PostgreSQL reads those. */
export function isInstant(text: string): boolean {
  return WRITTEN.test(text) && canonicalInstant(text) === text;
}

/**
 * A time by RFC 3339 as we write it; null for one that does not exist, such as the 30th of February, or lies outside of
 * 1970 to 9999. Digits after the millisecond are cut off. There are no leap seconds (`:60`) in our clocks.
 */
export function canonicalInstant(text: string): string | null {
  const [, date = '', time = '', fraction = '', sign, hours, minutes] = TYPED.exec(text) ?? [];
  const local = `${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const offset = sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const utc = existing(local) - offset;
  return utc >= 0 && utc < END ? new Date(utc).toISOString() : null;
}

/** NaN when there is no such time: `Date` takes the 30th of February and 24:00, and calls them something else. */
function existing(local: string): number {
  const time = Date.parse(local);
  return !Number.isNaN(time) && new Date(time).toISOString() === local ? time : Number.NaN;
}
