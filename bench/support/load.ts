import autocannon from 'autocannon';
import { type Candidate, type Figures } from './comparison.js';
import { type Server } from './servers.js';
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

/**
 * Open loop beside other work: one operation every `everyMs`, whether or not the last one has ended. A latency begins
 * when its operation was due, so that a pause of the server, or of ours, is seen by all that fell into it.
 */
export async function openLoopDuring<T>(
  work: Promise<T>,
  everyMs: number,
  operation: () => Promise<void>,
): Promise<{ result: T; latencies: number[] }> {
  const running: Promise<number>[] = [];
  const started = performance.now();
  const begin = (): void => {
    while (started + running.length * everyMs <= performance.now()) {
      const due = started + running.length * everyMs;
      running.push(operation().then(() => performance.now() - due));
    }
  };
  const timer = setInterval(begin, everyMs);
  try {
    const result = await work;
    return { result, latencies: await Promise.all(running) };
  } finally {
    clearInterval(timer);
  }
}

/** As many GETs as go through in `seconds`; every body must be the expected one. */
export async function throughput(
  url: string,
  options: {
    readonly connections: number;
    readonly seconds: number;
    readonly expectBody?: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** Of each connection, in turn. */
    readonly headersOf?: readonly Readonly<Record<string, string>>[];
    readonly expectStatus?: 200 | 304;
  },
): Promise<{ operations: number; figures: Figures }> {
  const { connections, seconds, expectStatus = 200, headersOf, ...rest } = options;
  let opened = 0;
  const { requests, latency, duration, ...faults } = await autocannon({
    url,
    connections,
    duration: seconds,
    ...rest,
    ...(headersOf && {
      setupClient: (client) => {
        client.setHeaders(headersOf[opened++ % headersOf.length] ?? {});
      },
    }),
  });
  const { errors, mismatches, statusCodeStats } = faults;
  const others = requests.total - (statusCodeStats[String(expectStatus)]?.count ?? 0);
  if (errors + mismatches + others > 0) {
    throw new Error(`${url}: wrong answers ${JSON.stringify({ errors, mismatches, statusCodeStats })}`);
  }
  return {
    operations: requests.total,
    figures: { 'per second': requests.total / duration, 'p50 ms': latency.p50, 'p99 ms': latency.p99 },
  };
}

/** Asks one server for the same thing all the time: what it answers first is what it must answer always. */
export async function repeatedGet(
  name: string,
  { url, pid }: Server,
  options: {
    readonly path: string;
    readonly connections: number;
    readonly seconds: number;
    readonly headers?: Readonly<Record<string, string>>;
    /** 304 has no body. */
    readonly expectStatus?: 200 | 304;
  },
): Promise<Candidate & { readonly body: string }> {
  const { path, headers = {}, ...rest } = options;
  const body = await fetch(url + path, { headers }).then((response) => response.text());
  return { name, pid, body, round: () => throughput(url + path, { ...rest, headers, expectBody: body }) };
}
