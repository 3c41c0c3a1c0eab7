import { setTimeout as pause } from 'node:timers/promises';
import type { Deployment } from './deployment.js';

/** What is killed, by the words of the promise. */
export const VICTIMS = ['api', 'hardware', 'worker', 'redis', 'broker', 'postgres'] as const;
export type Victim = (typeof VICTIMS)[number];

export interface Kill {
  readonly victim: Victim;
  readonly at: Date;
}

/** How long a container engine takes to start a server again, at most. */
const LONGEST_ABSENCE_MS = 1_500;

/** Kills one part of a deployment after another with signal 9, each while it was alive and at work. */
export class Reaper {
  readonly kills: Kill[] = [];
  readonly #restarts = new Map<Victim, Promise<void>>();
  #round: Victim[] = [];

  constructor(
    private readonly deployment: Deployment,
    private readonly random: () => number,
  ) {}

  /** Kills something: in a random order, everything equally often. */
  async killNext(): Promise<void> {
    if (this.#round.length === 0) {
      this.#round = [...VICTIMS];
    }
    const [victim = 'api'] = this.#round.splice(Math.floor(this.random() * this.#round.length), 1);
    await this.kill(victim);
  }

  /** `34 api, 34 hardware`. */
  summary(): string {
    const count = (victim: Victim): number => this.kills.filter((kill) => kill.victim === victim).length;
    return VICTIMS.map((victim) => `${String(count(victim))} ${victim}`).join(', ');
  }

  /** Settles when everything runs again. */
  async everythingIsBack(): Promise<void> {
    await Promise.all(this.#restarts.values());
    await this.deployment.ready();
  }

  /** Kills a random one of this kind, when it is up. */
  private async kill(victim: Victim): Promise<void> {
    await this.#restarts.get(victim);
    const { apis, hardware, workers } = this.deployment;
    switch (victim) {
      case 'api':
        await this.killOneOf(victim, apis);
        break;
      case 'hardware':
        await this.killOneOf(victim, hardware);
        break;
      case 'worker':
        await this.killOneOf(victim, workers);
        break;
      case 'redis':
        await this.killServer(victim, this.deployment.services.redis);
        break;
      case 'postgres':
        await this.killServer(victim, this.deployment.services.postgres);
        break;
      case 'broker':
        await this.killServer(victim, this.deployment.broker.server);
        break;
    }
  }

  private async killOneOf(victim: Victim, processes: Deployment['processes']): Promise<void> {
    const chosen = processes[Math.floor(this.random() * processes.length)];
    await chosen?.up();
    this.kills.push({ victim, at: new Date() });
    await chosen?.kill();
  }

  private async killServer(victim: Victim, server: { kill(): Promise<void>; restart(): Promise<void> }): Promise<void> {
    this.kills.push({ victim, at: new Date() });
    await server.kill();
    const absence = this.random() * LONGEST_ABSENCE_MS;
    const restarted = pause(absence).then(() => server.restart());
    restarted.catch(() => undefined);
    this.#restarts.set(victim, restarted);
  }
}
