import { seededRandom } from './seeded-random.js';

/** Two things done one right after the other, in milliseconds each. */
export type TimedPair = readonly [one: number, other: number];

/** How much longer the first takes at one quantile, and between what that lies with 99 % confidence. */
export interface QuantileDifference {
  readonly quantile: number;
  readonly ms: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 1_000;
const TAIL = 0.005;

/**
 * The difference of two low quantiles: what a busy machine adds lengthens some samples, but shortens none. Its interval
 * is bootstrapped over whole pairs, so that what slowed both of a pair counts for neither.
 */
export function quantileDifference(pairs: readonly TimedPair[], quantile: number, seed: number): QuantileDifference {
  const random = seededRandom(seed);
  const resampled = Array.from({ length: RESAMPLES }, () =>
    difference(
      pairs.map(() => pairs[Math.floor(random() * pairs.length)] ?? [0, 0]),
      quantile,
    ),
  );
  return {
    quantile,
    ms: difference(pairs, quantile),
    low: quantileOf(resampled, TAIL),
    high: quantileOf(resampled, 1 - TAIL),
  };
}

/** How far from nothing the difference surely is. */
export function certainlyApart({ low, high }: QuantileDifference): number {
  return Math.max(low, -high, 0);
}

function difference(pairs: readonly TimedPair[], quantile: number): number {
  const of = (which: 0 | 1): number =>
    quantileOf(
      pairs.map((pair) => pair[which]),
      quantile,
    );
  return of(0) - of(1);
}

function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0;
}
