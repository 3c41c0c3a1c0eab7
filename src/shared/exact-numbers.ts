/**
 * Whether a value from JSON holds a number beyond 2^53 - 1, where integers are rounded to a neighbour without a trace
 * (RFC 7493, section 2.2). Rounding keeps the order of numbers, so the rounded one is beyond the limit, too.
 */
export function hasInexactNumber(value: unknown): boolean {
  if (typeof value === 'number') {
    return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  }
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInexactNumber);
}
