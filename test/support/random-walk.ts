import { SEED } from './promise.js';
import { seededRandom } from './seeded-random.js';

const random = seededRandom(SEED);

/** The same in another order, which the seed of this run decides. */
export function shuffled<T>(items: readonly T[]): T[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}

/** Makes each attempt once, and then all of them again in other orders until that `isEnough`. */
export async function walk(
  attempts: readonly (() => Promise<void>)[],
  isEnough: () => boolean,
  atOnce = 8,
): Promise<void> {
  do {
    const waiting = shuffled(attempts);
    const walker = async (): Promise<void> => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        await next();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, walker));
  } while (!isEnough());
}
