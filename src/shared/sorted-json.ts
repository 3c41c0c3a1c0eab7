/**
 * JSON in which the members of objects stand in one order, so that equal values have equal texts: for hashes. Numbers
 * and escapes have one form already, because the values were parsed. (RFC 8785 sorts names of digits in another order.)
 */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
