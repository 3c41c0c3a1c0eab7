/**
 * How long a test waits for what is about to happen, on a machine that is busy with other things. It bounds nothing that
 * was promised: a test of such a bound measures it, or names its own limit.
 */
const PATIENCE_MS = 45_000;

/**
 * Waits until `condition` gives something other than undefined, null or false. Fails, naming `what`, when it takes too
 * long.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  limitMs = PATIENCE_MS,
): Promise<Exclude<T, undefined | null | false>> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) {
      return value as Exclude<T, undefined | null | false>;
    }
    if (performance.now() > end) {
      throw new Error(`Not within ${String(limitMs)} ms: ${what}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
