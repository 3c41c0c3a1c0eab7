import { Generator } from '../generator.js';
import type { LoadOutcome, LoadPlan, LoadRun } from './load-plan.js';

/**
 * Sends requests by a fixed schedule, from a process of its own. A latency counts from when its request was due, so a pause
 * of the server is seen by all that fell into it (`autocannon -R` leaves them out).
 */
export class OpenLoopGenerator {
  readonly #generator = Generator.start('open-loop');

  /** `%seq%` begins at 1 with each run. */
  send(plan: LoadPlan, run: LoadRun): Promise<LoadOutcome> {
    return this.#generator.ask('send', { plan, run });
  }

  stop(): Promise<void> {
    return this.#generator.stop();
  }
}
