import autocannon from 'autocannon';
import { type Figures } from './comparison.js';
import { percentile } from './statistics.js';

/**
 * Closed loop: `inFlight` workers, each doing its next operation when its last one has ended.
 * @param operation given the number of the worker, rejects for a wrong answer.
 */
export async function closedLoop(
  inFlight: number,
  operations: number,
  operation: (worker: number) => Promise<void>,
): Promise<{ operations: number; figures: Figures }> {
  const latencies: number[] = [];
  let begun = 0;
  const work = async (worker: number): Promise<void> => {
    while (begun < operations) {
      begun += 1;
      const started = performance.now();
      await operation(worker);
      latencies.push(performance.now() - started);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, (_, worker) => work(worker)));
  const perSecond = (operations * 1_000) / (performance.now() - started);
  return {
    operations,
    figures: { 'per second': perSecond, 'p50 ms': percentile(latencies, 50), 'p99 ms': percentile(latencies, 99) },
  };
}

/** As many GETs as go through in `seconds`; every body must be the expected one. */
export async function throughput(
  url: string,
  options: {
    readonly connections: number;
    readonly seconds: number;
    readonly expectBody: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<{ operations: number; figures: Figures }> {
  const { connections, seconds, ...rest } = options;
  const { requests, latency, duration, ...faults } = await autocannon({ url, connections, duration: seconds, ...rest });
  if (faults.errors + faults.mismatches + faults.non2xx > 0) {
    const { errors, mismatches, non2xx } = faults;
    throw new Error(`${url}: wrong answers ${JSON.stringify({ errors, mismatches, non2xx })}`);
  }
  return {
    operations: requests.total,
    figures: { 'per second': requests.total / duration, 'p50 ms': latency.p50, 'p99 ms': latency.p99 },
  };
}
