/** Waits until `condition` gives something other than undefined, null or false. Fails, naming `what`, when it takes too long. */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  limitMs = 10_000,
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
