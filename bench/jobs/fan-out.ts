import { baselineStage, mortiseStage, type Stage } from '../support/audience.js';
import { compare, type Candidate, type Figures } from '../support/comparison.js';
import { Crowd } from '../support/crowd.js';
import { type Services } from '../support/services.js';
import { percentile } from '../support/statistics.js';

const SIZES = (process.env.BENCH_SUBSCRIBERS ?? '500,10000').split(',').map(Number);
const SINGLE_EVENTS = 40;
/** Of a burst, which is committed at once. */
const BURST_DELIVERIES = 50_000;
const BURST_MIN = 10;
const ROUNDS = 5;
const IN_FLIGHT = 100;

/** From the commit of an event to its receipt by the last of so many members, against nothing but the sockets. */
export async function fanOut(services: Services): Promise<void> {
  for (const size of SIZES) {
    const mortise = await mortiseStage(services, size);
    const stages = [
      mortise,
      baselineStage(services, 'bare WebSocket, shared frame', size, { BARE: '1' }),
      baselineStage(services, 'raw Socket.IO', size),
    ];
    const performances = await Promise.all(stages.map((stage) => Performance.open(stage)));
    await compare({
      title: `One event to ${String(size)} members of an organization`,
      candidates: performances.map((each) => each.candidate()),
      ratios: ['deliveries per second', 'last receipt p50 ms'],
      rounds: ROUNDS,
    });
    await Promise.all(performances.map((each) => each.close()));
    await mortise.close();
  }
}

/** A server with its clients, all of them connected. */
class Performance {
  private constructor(
    private readonly stage: Stage,
    private readonly server: Awaited<ReturnType<Stage['start']>>,
    private readonly crowd: Crowd,
  ) {}

  static async open(stage: Stage): Promise<Performance> {
    const server = await stage.start();
    const crowd = Crowd.start(stage.tokens.length);
    await crowd.connect(server.url, stage.tokens, IN_FLIGHT);
    return new Performance(stage, server, crowd);
  }

  candidate(): Candidate {
    return { name: this.stage.name, pid: this.server.pid, round: () => this.round() };
  }

  async close(): Promise<void> {
    await this.crowd.leave();
    this.crowd.stop();
    await this.server.stop();
  }

  private async round(): Promise<{ operations: number; figures: Figures }> {
    const listeners = this.stage.tokens.length;
    const [all, last]: [number[], number[]] = [[], []];
    for (let event = 0; event < SINGLE_EVENTS; event++) {
      const { sinceMs, timesMs } = await this.send(1);
      const latencies = timesMs.map((time) => time - sinceMs);
      all.push(...latencies);
      last.push(Math.max(...latencies));
    }
    const events = Math.max(BURST_MIN, Math.ceil(BURST_DELIVERIES / listeners));
    const { sinceMs, timesMs } = await this.send(events);
    const burstMs = timesMs.reduce((latest, time) => Math.max(latest, time), 0) - sinceMs;
    return {
      operations: listeners * (SINGLE_EVENTS + events),
      figures: {
        'deliveries per second': (events * listeners * 1_000) / burstMs,
        'receipt p50 ms': percentile(all, 50),
        'p95 ms': percentile(all, 95),
        'last receipt p50 ms': percentile(last, 50),
        'last p95 ms': percentile(last, 95),
      },
    };
  }

  private send(events: number): ReturnType<Crowd['hear']> {
    return this.crowd.hear(events, () => this.stage.send(this.server, events));
  }
}
