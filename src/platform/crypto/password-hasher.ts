import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { argon2id, hash, verify } from 'argon2';
import { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import { requestContext } from '../context/request-context.js';
import { type Counter, type Gauge, type Histogram, Metrics } from '../metrics/metrics.js';
import { BusyError, Semaphore } from '../process/semaphore.js';

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Passwords that wait, of all holders together. */
export const MAX_WAITING = 64;
/** A quarter of those that wait: a household behind one address signs in at once, and no holder has it all. */
const MAX_PER_HOLDER = 16;
const PATIENCE_MS = 5_000;
/** Who asks that is no request: a command line tool. */
const NO_REQUEST = 'system';
/** Of a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$…`. */
const PARAMETERS = /^\$argon2id\$v=19\$(?=[^$]*\bm=(?<memory>\d+))(?=[^$]*\bt=(?<passes>\d+))/;

/**
 * Hashes passwords with argon2id. One core stays free for everything else; a flood of logins is refused instead of queued
 * without end, and one person or address holds only a share of what may be under way.
 */
@Injectable()
export class PasswordHasher {
  readonly #parameters: { readonly type: typeof argon2id; memoryCost: number; timeCost: number; parallelism: number };
  readonly #semaphore = new Semaphore({
    concurrent: Math.max(1, availableParallelism() - 1),
    waiting: MAX_WAITING,
    perHolder: MAX_PER_HOLDER,
    patienceMs: PATIENCE_MS,
  });
  /** Compared for unknown users: random bytes in the format and with the parameters of a real one. */
  readonly #decoy: string;
  readonly #duration: Histogram;
  readonly #wait: Histogram;
  readonly #waiting: Gauge;
  readonly #refused: Counter;

  constructor(
    config: AppConfig,
    metrics: Metrics,
    private readonly clock: Clock,
  ) {
    const { memoryKib, passes } = config.passwords.hash;
    this.#parameters = { type: argon2id, memoryCost: memoryKib, timeCost: passes, parallelism: 1 };
    this.#decoy = `$argon2id$v=19$m=${String(memoryKib)},t=${String(passes)},p=1$${unpadded(
      randomBytes(SALT_BYTES),
    )}$${unpadded(randomBytes(HASH_BYTES))}`;
    this.#duration = metrics.latency('mortise_password_hash_seconds', 'Time to hash or to verify a password');
    this.#wait = metrics.latency('mortise_password_hash_wait_seconds', 'Time until it was the turn of a password');
    this.#waiting = metrics.gauge('mortise_password_hashes_waiting', 'Passwords that wait to be hashed or verified');
    this.#refused = metrics.counter('mortise_password_hash_refusals_total', 'Passwords refused because of too many');
  }

  /** @returns a PHC string. @throws BusyError when too many are waiting. */
  hash(password: string): Promise<string> {
    return this.run(() => hash(password, { ...this.#parameters, hashLength: HASH_BYTES }));
  }

  /**
   * Whether `password` is the one behind `hashed`. Without a hash (an unknown user) it works just as long and says no,
   * so that the time of an answer does not tell who has an account.
   * @throws BusyError when too many are waiting.
   */
  verify(hashed: string | null, password: string): Promise<boolean> {
    return this.run(() => verify(hashed ?? this.#decoy, password));
  }

  /** Whether it takes an attacker less than a hash of today: the next time the password is at hand, hash it again. */
  isOutdated(hashed: string): boolean {
    const { memory = 0, passes = 0 } = PARAMETERS.exec(hashed)?.groups ?? {};
    return Number(memory) < this.#parameters.memoryCost || Number(passes) < this.#parameters.timeCost;
  }

  private async run<T>(work: () => Promise<T>): Promise<T> {
    const asked = this.clock.monotonic();
    const done = this.#semaphore.run(holder(), async () => {
      const begun = this.clock.monotonic();
      this.#wait.observe((begun - asked) / 1_000);
      try {
        return await work();
      } finally {
        this.#duration.observe((this.clock.monotonic() - begun) / 1_000);
      }
    });
    this.#waiting.set(this.#semaphore.waiting);
    try {
      return await done;
    } catch (error) {
      if (error instanceof BusyError) {
        this.#refused.inc();
      }
      throw error;
    } finally {
      this.#waiting.set(this.#semaphore.waiting);
    }
  }
}

/** Whose share the work is part of. @throws where a route hashes passwords and does not say so. */
function holder(): string {
  const context = requestContext();
  if (context?.source === 'http' && context.hashHolder === undefined) {
    throw new Error('This route hashes a password without @HashesPassword, so no boot check saw that it is limited.');
  }
  return context?.hashHolder ?? NO_REQUEST;
}

/** PHC strings carry base64 without its padding. */
function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
