import { outsideRequest } from '../context/request-context.js';
import { Semaphore } from '../process/semaphore.js';
import { connectAs } from '../prisma/connection-quota.js';

/**
 * Pages that are read at once. All who were connected to a process that has ended come back at one moment, and each has its turn
 * within the patience: 10,000 sockets, and as many streams.
 */
const LIMITS = { concurrent: 8, waiting: 20_000, perHolder: 20_000, patienceMs: 30_000 };

/** Lets those who catch up with the log read it in turn: people, however many connections each has. */
export class ReplayLimiter {
  readonly #turns = new Semaphore(LIMITS);

  /**
   * Reads a page. It serves no request, and takes its connections from those that reads share all the same.
   * @throws BusyError when its turn did not come in time
   */
  run<T>(userId: string, read: () => Promise<T>): Promise<T> {
    return this.#turns.run(userId, () => outsideRequest(() => connectAs('reads', read)));
  }
}
