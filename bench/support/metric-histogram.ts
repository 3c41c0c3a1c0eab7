/** Cumulative counts of a histogram of `/metrics` by the upper bound of their bucket, labels added up. */
export type HistogramCounts = ReadonlyMap<number, number>;

const BUCKET = /^(\w+)_bucket\{[^}]*le="([^"]+)"[^}]*\} (\S+)$/gm;

/** The histogram whose name matches, or null where the process has none. */
export async function readHistogram(url: string, name: RegExp): Promise<HistogramCounts | null> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = new Map<number, number>();
  for (const [, series = '', bound = '', count] of text.matchAll(BUCKET)) {
    if (name.test(series)) {
      const upTo = bound === '+Inf' ? Infinity : Number(bound);
      counts.set(upTo, (counts.get(upTo) ?? 0) + Number(count));
    }
  }
  return counts.size === 0 ? null : counts;
}

/** Of what came between two readings, the value below which this share lies: the upper bound of its bucket. */
export function histogramQuantile(before: HistogramCounts, after: HistogramCounts, share: number): number {
  const bounds = [...after.keys()].sort((a, b) => a - b);
  const since = (bound: number): number => (after.get(bound) ?? 0) - (before.get(bound) ?? 0);
  return bounds.find((bound) => since(bound) >= share * since(Infinity)) ?? NaN;
}
