import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until `condition` answers something truthy; throws when that takes too long. */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: { readonly withinMs: number; readonly everyMs?: number; readonly otherwise: () => Error },
): Promise<T> {
  const deadline = Date.now() + options.withinMs;
  for (;;) {
    const answer = await condition();
    if (answer !== undefined && answer !== false) {
      return answer;
    }
    if (Date.now() > deadline) {
      throw options.otherwise();
    }
    await delay(options.everyMs ?? 50);
  }
}
