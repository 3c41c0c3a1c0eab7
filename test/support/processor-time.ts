/**
 * Milliseconds of its thread that work takes at least, of several runs: what other programs of the machine do meanwhile, and
 * what is only done once (to compile, to clear memory), counts for nothing.
 */
export function leastProcessorMs(work: () => unknown, runs = 3): number {
  const times = Array.from({ length: runs }, () => {
    const begun = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(begun);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}
