/** Runs one step of a command and prints one line with its time, so that waiting is never silent. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const heartbeat = setInterval(() => {
    print(`  ${title}: still at it, ${seconds()}`);
  }, 15_000);
  try {
    const result = await work();
    print(`  ${title}: ${seconds()}`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}
