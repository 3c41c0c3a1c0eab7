/** Something that may have been told already. */
export interface Repeatable {
  readonly userId: string;
  /** Null: it is like no other. */
  readonly dedupKey: string | null;
  readonly sameForMs: number;
}

/** What a person was told, and that others are told by, unless it is too old. */
export interface HeldNotification {
  readonly id: string;
  readonly userId: string;
  readonly dedupKey: string;
  readonly ageMs: number;
}

export interface Repetitions<D> {
  /** Told by notifications of their own, each with how many of the same there are. */
  readonly added: readonly { readonly first: D; readonly last: D; readonly count: number }[];
  /** Told by one that there is. */
  readonly repeated: readonly { readonly id: string; readonly last: D; readonly count: number }[];
  /** Those that no other is told by any more. */
  readonly outdated: readonly string[];
}

/** Which of these, in their order, are told by what there is, and which by one another. */
export function findRepetitions<D extends Repeatable>(
  drafts: readonly D[],
  held: readonly HeldNotification[],
): Repetitions<D> {
  const known = new Map(held.map((one) => [keyOf(one.userId, one.dedupKey), one]));
  const groups = new Map<string, { first: D; last: D; count: number }>();
  drafts.forEach((draft, place) => {
    const key = draft.dedupKey === null ? `alone ${String(place)}` : keyOf(draft.userId, draft.dedupKey);
    const group = groups.get(key);
    groups.set(key, { first: group?.first ?? draft, last: draft, count: (group?.count ?? 0) + 1 });
  });
  const added: { first: D; last: D; count: number }[] = [];
  const repeated: { id: string; last: D; count: number }[] = [];
  const outdated: string[] = [];
  for (const [key, group] of groups) {
    const earlier = known.get(key);
    if (earlier && earlier.ageMs < group.first.sameForMs) {
      repeated.push({ id: earlier.id, last: group.last, count: group.count });
    } else {
      added.push(group);
      outdated.push(...(earlier ? [earlier.id] : []));
    }
  }
  return { added, repeated, outdated };
}

function keyOf(userId: string, dedupKey: string): string {
  return `${userId} ${dedupKey}`;
}
