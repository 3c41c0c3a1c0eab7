import { BUSY } from '../../shared/common-problems.js';
import { AsProblem, DomainError } from '../../shared/domain-error.js';
import { secondsBetween } from '../scheduling/jitter.js';
import { BusyError, Semaphore } from '../process/semaphore.js';

/** Of one process. A handshake takes two statements that others share, and one question to Redis. */
const LIMITS = { concurrent: 256, waiting: 8_192, perHolder: 8_192, patienceMs: 5_000 };
/** A client that is refused comes back within so many seconds, and later by what waits already. */
const [SOONEST_S, LATEST_S] = [1, 5];
const PER_SECOND = 1_000;

/** More clients connect than this process can identify in time. */
@AsProblem(BUSY, 2)
export class HandshakesBusyError extends DomainError {
  constructor(retryAfter: number) {
    super('Too many clients connect at once. Try again shortly.', { retryAfter });
  }
}

/**
 * Bounds the handshakes that are under way: when all clients of an installation come back at once, some are identified, a bounded
 * number waits, and each of the others is told another moment to come back.
 */
export class HandshakeLimiter {
  readonly #places = new Semaphore(LIMITS);

  /** @param address whose handshakes take turns with those of others. @throws HandshakesBusyError */
  async run<T>(address: string, identify: () => Promise<T>): Promise<T> {
    try {
      return await this.#places.run(address, identify);
    } catch (error) {
      throw error instanceof BusyError ? this.busy() : error;
    }
  }

  /** For a client that is refused because there is too much to do. */
  busy(): HandshakesBusyError {
    return new HandshakesBusyError(secondsBetween(SOONEST_S, LATEST_S + this.#places.waiting / PER_SECOND));
  }
}
