import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil } from '../../../tools/stack/wait-until.js';
import type { Deployment } from './deployment.js';
import type { KillableServer } from './own-services.js';
import type { RestartedProcess } from './restarted-process.js';

/** What is killed, by the words of the promise. */
export const VICTIMS = ['api', 'hardware', 'worker', 'redis', 'broker', 'postgres'] as const;
type Victim = (typeof VICTIMS)[number];

/** From the kill until it was ready again, or for good; milliseconds since 1970. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

interface Kill {
  readonly victim: Victim;
  readonly at: Date;
  back: Date | null;
}

/** What is alive and can be killed. */
interface Candidate {
  readonly kill: () => Promise<void>;
  /** Settles when it is there again. */
  readonly back: () => Promise<void>;
}

/** How long a container engine takes to start a server again, at most. */
const LONGEST_ABSENCE_MS = 1_500;
/** For one of everything that was killed to be there again. */
const ALIVE_WITHIN_MS = 600_000;
const LOOK_EVERY_MS = 100;

/** Kills one part of a deployment after another with signal 9, each while it was alive and at work. */
export class Reaper {
  readonly kills: Kill[] = [];
  readonly #returns: Promise<void>[] = [];
  #round: Victim[] = [];

  constructor(
    private readonly deployment: Deployment,
    private readonly random: () => number,
    /** Processes that are left alone. */
    private readonly spared: readonly RestartedProcess[] = [],
  ) {}

  get outages(): Outage[] {
    return this.kills.map(({ at, back }) => ({ from: at.getTime(), to: back?.getTime() ?? Infinity }));
  }

  /** Kills something: in a random order, everything equally often. What is slow to come back waits for its turn. */
  async killNext(): Promise<void> {
    if (this.#round.length === 0) {
      this.#round = [...VICTIMS];
    }
    const [victim, candidate] = await waitUntil(() => this.nextAlive(), {
      withinMs: ALIVE_WITHIN_MS,
      everyMs: LOOK_EVERY_MS,
      otherwise: () => new Error(`Nothing of these is alive: ${this.#round.join(', ')}.`),
    });
    this.#round = this.#round.filter((name) => name !== victim);
    const kill: Kill = { victim, at: new Date(), back: null };
    this.kills.push(kill);
    await candidate.kill();
    const returned = candidate.back().then(() => {
      kill.back = new Date();
    });
    returned.catch(() => undefined);
    this.#returns.push(returned);
  }

  /** `34 api, 34 hardware`. */
  summary(): string {
    const count = (victim: Victim): number => this.kills.filter((kill) => kill.victim === victim).length;
    return VICTIMS.map((victim) => `${String(count(victim))} ${victim}`).join(', ');
  }

  /** Waits for everything that was killed. @returns why something has not come back */
  async missing(): Promise<string[]> {
    const ended = await Promise.allSettled([...this.#returns, this.deployment.ready()]);
    return ended.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
  }

  private async nextAlive(): Promise<[Victim, Candidate] | undefined> {
    const first = Math.floor(this.random() * this.#round.length);
    for (const victim of [...this.#round.slice(first), ...this.#round.slice(0, first)]) {
      const candidate = await this.candidate(victim);
      if (candidate) {
        return [victim, candidate];
      }
    }
    return undefined;
  }

  private candidate(victim: Victim): Promise<Candidate | undefined> {
    const { apis, hardware, workers, services, broker } = this.deployment;
    switch (victim) {
      case 'api':
        return this.oneOf(apis);
      case 'hardware':
        return this.oneOf(hardware);
      case 'worker':
        return this.oneOf(workers);
      case 'redis':
        return this.server(victim, services.redis);
      case 'postgres':
        return this.server(victim, services.postgres);
      case 'broker':
        return this.server(victim, broker.server);
    }
  }

  private async oneOf(processes: readonly RestartedProcess[]): Promise<Candidate | undefined> {
    const first = Math.floor(this.random() * processes.length);
    for (const process of [...processes.slice(first), ...processes.slice(0, first)]) {
      if (!this.spared.includes(process) && (await process.isUp())) {
        return { kill: () => process.kill(), back: () => process.ready() };
      }
    }
    return undefined;
  }

  private server(victim: Victim, server: KillableServer): Promise<Candidate | undefined> {
    const isAway = this.kills.some((kill) => kill.victim === victim && kill.back === null);
    const back = async (): Promise<void> => {
      await pause(this.random() * LONGEST_ABSENCE_MS);
      await server.restart();
    };
    return Promise.resolve(isAway ? undefined : { kill: () => server.kill(), back });
  }
}
