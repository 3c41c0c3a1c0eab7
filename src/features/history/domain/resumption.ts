/**
 * How long events beyond a gap are only looked at, in milliseconds. Two processes share the messages of a device, so that
 * later ones may come first; the device repeats what has no receipt after five seconds.
 */
const SETTLES_AFTER_MS = 2_000;
/** Then it is begun anew: what was lowest came once and never again, as from the queue of a broker. Longer than a device's pause. */
const FORGOTTEN_AFTER_MS = 150_000;
/** Messages from before the restore arrive only in the first minutes, from the queues of brokers. */
const STRAYS_UNTIL_MS = 600_000;

/** Where the sequence of one boot of one device stands. */
export interface Sequence {
  /** The last number without a gap before it. */
  readonly seq: number;
  /** Set while the device may have receipts above `seq` that a restore has lost. */
  readonly adoptedAt: Date | null;
  /** The lowest number beyond the gap that has arrived, and when the first of them did. */
  readonly resumeFrom: number | null;
  readonly resumeSeenAt: Date | null;
  readonly now: Date;
}

/**
 * Where a sequence goes on after a restore. The device has dropped what was acknowledged since the backup, and it sends the
 * rest from its oldest event on, again and again: so the lowest number that arrives in a while is its oldest.
 * @param numbers of the events that arrived
 * @returns what to store instead of `row`; `row` itself when nothing changes
 */
export function resume<R extends Sequence>(row: R, numbers: readonly number[]): R {
  const lowest = Math.min(...numbers.filter((number) => number > row.seq));
  if (row.adoptedAt === null || lowest === Infinity) {
    return row;
  }
  if (lowest === row.seq + 1) {
    return goOn(row, row.seq, row.adoptedAt);
  }
  const seenForMs = row.resumeSeenAt === null ? Infinity : row.now.getTime() - row.resumeSeenAt.getTime();
  if (row.resumeFrom === null || seenForMs > FORGOTTEN_AFTER_MS) {
    return { ...row, resumeFrom: lowest, resumeSeenAt: row.now };
  }
  if (seenForMs < SETTLES_AFTER_MS) {
    return lowest < row.resumeFrom ? { ...row, resumeFrom: lowest } : row;
  }
  return lowest <= row.resumeFrom ? goOn(row, lowest - 1, row.adoptedAt) : row;
}

/** The sequence is known again, unless strays may still set it back. */
function goOn<R extends Sequence>(row: R, seq: number, adoptedAt: Date): R {
  const isSure = row.now.getTime() - adoptedAt.getTime() > STRAYS_UNTIL_MS;
  if (seq === row.seq && row.resumeFrom === null && !isSure) {
    return row;
  }
  return { ...row, seq, adoptedAt: isSure ? null : adoptedAt, resumeFrom: null, resumeSeenAt: null };
}
