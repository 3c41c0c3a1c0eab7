const SHORTEST_MS = 100;
const LONGEST_MS = 5_000;

/** Grows with every failed attempt, with jitter, so that processes do not come back in step. */
export function reconnectDelayMs(attempt: number): number {
  const longest = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(longest / 2 + Math.random() * (longest / 2));
}
