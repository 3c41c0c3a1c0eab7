/**
 * How long events beyond a gap are only looked at when their device does not say which is its oldest, in milliseconds. It sends
 * what has no receipt after 5, 15 and 35 seconds, and what a stopped process has swallowed comes again by then.
 */
const SETTLES_AFTER_MS = 30_000;
/** Then it is begun anew: what was lowest never came again. Longer than a device's pause. */
const FORGOTTEN_AFTER_MS = 150_000;
/** A device or a broker may have held a message since before the restore, which arrives in the first minutes. */
const IN_DOUBT_FOR_MS = 600_000;

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

/** What is known of an event before it is stored. */
export interface Numbered {
  readonly seq: number;
  /** The lowest number that its device still held when it sent this. */
  readonly oldest?: number;
}

/**
 * Where a sequence goes on when its device holds receipts that are lost here. A device says from which event on it still has
 * them: what lies before it, and is not stored, never comes again. One that says nothing sends from its oldest event on,
 * again and again: after a restore, the lowest number that arrives in a while is its oldest.
 * @param events that arrived
 * @returns what to store instead of `row`; `row` itself when nothing changes
 */
export function resume<R extends Sequence>(row: R, events: readonly Numbered[]): R {
  const said = Math.max(0, ...events.map(({ oldest }) => oldest ?? 0));
  if (said > 0) {
    const isKnown = said <= row.seq + 1 && row.adoptedAt === null;
    return isKnown
      ? row
      : { ...row, seq: Math.max(row.seq, said - 1), adoptedAt: null, resumeFrom: null, resumeSeenAt: null };
  }
  const lowest = Math.min(...events.map(({ seq }) => seq).filter((seq) => seq > row.seq));
  if (row.adoptedAt === null || lowest === Infinity) {
    return row;
  }
  return lowest === row.seq + 1 ? goOn(row, row.seq, row.adoptedAt) : search(row, lowest, row.adoptedAt);
}

function search<R extends Sequence>(row: R, lowest: number, adoptedAt: Date): R {
  const seenForMs = row.resumeSeenAt === null ? Infinity : row.now.getTime() - row.resumeSeenAt.getTime();
  // Negative when the clock was set back.
  if (row.resumeFrom === null || seenForMs > FORGOTTEN_AFTER_MS || seenForMs < 0) {
    return { ...row, resumeFrom: lowest, resumeSeenAt: row.now };
  }
  if (seenForMs < SETTLES_AFTER_MS) {
    return lowest < row.resumeFrom ? { ...row, resumeFrom: lowest } : row;
  }
  return lowest <= row.resumeFrom ? goOn(row, lowest - 1, adoptedAt) : row;
}

/** The sequence is known again, unless a late message may have set it back. */
function goOn<R extends Sequence>(row: R, seq: number, adoptedAt: Date): R {
  const isSure = row.now.getTime() - adoptedAt.getTime() > IN_DOUBT_FOR_MS;
  if (seq === row.seq && row.resumeFrom === null && !isSure) {
    return row;
  }
  return { ...row, seq, adoptedAt: isSure ? null : adoptedAt, resumeFrom: null, resumeSeenAt: null };
}
