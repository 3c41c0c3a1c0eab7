import { setTimeout as pause } from 'node:timers/promises';
import { baselineStage, mortiseStage, type Stage } from '../support/audience.js';
import { compare, type Candidate, type Figures } from '../support/comparison.js';
import { Crowd } from '../support/crowd.js';
import { cpuMs, rssMb } from '../support/process-use.js';
import { type Services } from '../support/services.js';
import { percentile } from '../support/statistics.js';

const DASHBOARDS = Number(process.env.BENCH_SOCKETS ?? 10_000);
const IN_FLIGHT = 100;
/** Connect before anything is measured, and leave. */
const WARM_UP = 500;
/** Connect one after the other, beside all others. */
const LATECOMERS = 200;
const ROUNDS = 3;
const SETTLE_MS = 1_500;

/** What a dashboard that is connected costs, and connecting it, against Socket.IO without authentication. */
export async function sockets(services: Services): Promise<void> {
  const mortise = await mortiseStage(services, DASHBOARDS + LATECOMERS);
  const raw = baselineStage(services, 'raw Socket.IO', DASHBOARDS + LATECOMERS);
  await compare({
    title: `${String(DASHBOARDS)} authenticated dashboards on one process`,
    candidates: [mortise, raw].map(candidate),
    ratios: ['KB per connection', 'connects per second', 'CPU µs per connect'],
    rounds: ROUNDS,
  });
  await mortise.close();
}

/** A new process for each round: what was freed once is not asked of the system again. */
function candidate(stage: Stage): Candidate {
  const round = async (): Promise<{ operations: number; figures: Figures }> => {
    const server = await stage.start();
    const crowd = Crowd.start(DASHBOARDS);
    try {
      await crowd.connect(server.url, stage.tokens.slice(0, WARM_UP), IN_FLIGHT);
      await crowd.leave();
      const emptyMb = await settledMb(server.pid);
      const cpuBefore = cpuMs(server.pid);
      const all = await crowd.connect(server.url, stage.tokens.slice(0, DASHBOARDS), IN_FLIGHT);
      const cpu = cpuMs(server.pid) - cpuBefore;
      const fullMb = await settledMb(server.pid);
      const late = await crowd.connect(server.url, stage.tokens.slice(DASHBOARDS), 1);
      await crowd.hear(1, () => stage.send(server, 1));
      await crowd.leave();
      return {
        operations: DASHBOARDS,
        figures: {
          'KB per connection': ((fullMb - emptyMb) * 1_000) / DASHBOARDS,
          'connects per second': (DASHBOARDS * 1_000) / all.totalMs,
          'CPU µs per connect': (cpu * 1_000) / DASHBOARDS,
          [`setup p50 ms, ${String(IN_FLIGHT)} in flight`]: percentile(all.setupMs, 50),
          p95: percentile(all.setupMs, 95),
          'setup p50 ms, one by one': percentile(late.setupMs, 50),
          'p95, one by one': percentile(late.setupMs, 95),
          'RSS MB, empty': emptyMb,
          'RSS MB': fullMb,
        },
      };
    } finally {
      crowd.stop();
      await server.stop();
    }
  };
  return { name: stage.name, round };
}

/** After its garbage is collected, twice: what the first time finalizes goes the second time. */
async function settledMb(pid: number): Promise<number> {
  for (let times = 0; times < 2; times++) {
    process.kill(pid, 'SIGUSR2');
    await pause(SETTLE_MS);
  }
  return rssMb(pid);
}
