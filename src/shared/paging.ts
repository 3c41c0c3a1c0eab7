export const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 200;

/** One page of a keyset-paged list. `nextCursor` is opaque, and null on the last page. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** A page of a list that is read in both directions. `previousCursor` is null where the list begins. */
export interface TwoWayPage<T> extends Page<T> {
  previousCursor: string | null;
}

/** Cuts a page out of `limit + 1` rows: the extra row only shows that there is more. */
export function toPage<R, T>(
  rows: readonly R[],
  limit: number,
  map: (row: R) => T,
  cursorOf: (row: R) => string,
): Page<T> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(map), nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
