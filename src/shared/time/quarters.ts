export const QUARTER_MS = 15 * 60_000;

/** A span of time, in milliseconds since 1970: from inclusive, until exclusive. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** The whole quarters of an hour in a time, and what is left of it before and after them. */
export interface SpanParts {
  readonly whole: Span;
  readonly edges: readonly Span[];
}

export function partsOf({ from, until }: Span): SpanParts {
  const [first, last] = [ceilQuarter(from), Math.floor(until / QUARTER_MS) * QUARTER_MS];
  if (first > last) {
    return { whole: { from: first, until: first }, edges: [{ from, until }] };
  }
  const edges = [
    { from, until: first },
    { from: last, until },
  ].filter((edge) => edge.from < edge.until);
  return { whole: { from: first, until: last }, edges };
}

export function ceilQuarter(instant: number): number {
  return Math.ceil(instant / QUARTER_MS) * QUARTER_MS;
}

/** Whether a time begins or ends within a quarter of an hour before an instant: where events are gone, only whole ones are known. */
export function hasEdgeBefore(span: Span, instant: number): boolean {
  return partsOf(span).edges.some(({ from }) => from < instant);
}
