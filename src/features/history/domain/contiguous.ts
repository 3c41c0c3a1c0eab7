/** A batch of events, split by whether they can be stored. */
export interface Advance<T> {
  /** They continue the sequence. */
  readonly accepted: readonly T[];
  /** An earlier event has not arrived yet, or something else that they need. */
  readonly waiting: readonly T[];
  /** The last number without a gap before it. */
  readonly seq: number;
}

/**
 * Splits the events of one device and boot into those that continue the sequence after `seq`, and those that wait for
 * an earlier one. Repeats of what is stored, or of each other, belong to neither.
 */
export function advance<T extends { readonly seq: number }>(seq: number, events: readonly T[]): Advance<T> {
  const ordered = [...events].sort((a, b) => a.seq - b.seq);
  const accepted: T[] = [];
  const waiting: T[] = [];
  let last = seq;
  for (const event of ordered) {
    if (event.seq === last + 1) {
      accepted.push(event);
      last = event.seq;
    } else if (event.seq > last) {
      waiting.push(event);
    }
  }
  return { accepted, waiting, seq: last };
}

/** None of them is accepted now. */
export function waitAll<T>(seq: number, events: readonly T[]): Advance<T> {
  return { accepted: [], waiting: events, seq };
}
