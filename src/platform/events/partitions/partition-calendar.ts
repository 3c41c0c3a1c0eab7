/** How much time a partition of the event log holds. Weeks begin on Monday; all begin at midnight, UTC. */
export const PARTITION_WIDTHS = ['week', 'month', 'quarter', 'year'] as const;
export type PartitionWidth = (typeof PARTITION_WIDTHS)[number];

/** A span of time, in milliseconds since 1970: from inclusive, to exclusive. Either may be infinite. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

const DAY_MS = 86_400_000;
/** The shortest of each. */
const SHORTEST_MS: Readonly<Record<PartitionWidth, number>> = {
  week: 7 * DAY_MS,
  month: 28 * DAY_MS,
  quarter: 90 * DAY_MS,
  year: 365 * DAY_MS,
};
const MONTHS = { month: 1, quarter: 3, year: 12 } as const;
/** 1970-01-01 was a Thursday. */
const FIRST_MONDAY = -3;

/** Partitions are made this long before they are needed. */
export const MADE_AHEAD_MS = 28 * DAY_MS;

/** A read without bounds of time locks every partition: with more, a few dozen of them fill the lock table of a server. */
export const MAX_PARTITIONS = 26;

/** How many partitions of this width exist at most while events are kept for `retentionMs`. */
export function partitionCount(width: PartitionWidth, retentionMs: number): number {
  // The oldest one and the one of now are in use in part.
  return Math.ceil(retentionMs / SHORTEST_MS[width]) + 1 + Math.ceil(MADE_AHEAD_MS / SHORTEST_MS[width]);
}

/** The narrowest width with which there are not too many partitions: what is dropped is dropped by whole ones. */
export function widthFor(retentionMs: number): PartitionWidth {
  return PARTITION_WIDTHS.find((width) => partitionCount(width, retentionMs) <= MAX_PARTITIONS) ?? 'year';
}

/** The span of this width that holds the moment. */
export function spanAround(width: PartitionWidth, at: number): TimeSpan {
  if (width === 'week') {
    const day = Math.floor(at / DAY_MS);
    const monday = day - ((((day - FIRST_MONDAY) % 7) + 7) % 7);
    return { from: monday * DAY_MS, to: (monday + 7) * DAY_MS };
  }
  const date = new Date(at);
  const months = MONTHS[width];
  const month = Math.floor(date.getUTCMonth() / months) * months;
  return { from: Date.UTC(date.getUTCFullYear(), month), to: Date.UTC(date.getUTCFullYear(), month + months) };
}

/**
 * What to make for a moment that no partition holds: the span of this width around it, less what its neighbours hold
 * already. So widths may change, and there is neither a gap nor an overlap.
 */
export function missingAround(existing: readonly TimeSpan[], width: PartitionWidth, at: number): TimeSpan {
  const { from, to } = spanAround(width, at);
  return {
    from: Math.max(from, ...existing.filter((span) => span.to <= at).map((span) => span.to)),
    to: Math.min(to, ...existing.filter((span) => span.from > at).map((span) => span.from)),
  };
}

/** What to make so that partitions hold all of `wanted`, oldest first. */
export function missingWithin(existing: readonly TimeSpan[], width: PartitionWidth, wanted: TimeSpan): TimeSpan[] {
  const missing: TimeSpan[] = [];
  for (let at = wanted.from; at < wanted.to;) {
    const now = at;
    const holder = existing.find((span) => span.from <= now && now < span.to);
    const span = holder ?? missingAround(existing, width, now);
    if (!holder) {
      missing.push(span);
    }
    at = span.to;
  }
  return missing;
}
