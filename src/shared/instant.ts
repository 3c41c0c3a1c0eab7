const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Whether `text` is a time as we write it (RFC 3339 in UTC, to the millisecond, 1970 to 9999): PostgreSQL reads those. */
export function isInstant(text: string): boolean {
  const time = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  // The 30th of February has a time too, but another name.
  return time >= 0 && new Date(time).toISOString() === text;
}
