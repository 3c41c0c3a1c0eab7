import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { argon2id, hash, needsRehash, verify } from 'argon2';
import { Semaphore } from './semaphore.js';

/** OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane. */
const PARAMETERS = { type: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/**
 * Hashes passwords with argon2id. One core stays free for everything else, and a flood of logins is refused instead
 * of queued without end.
 */
@Injectable()
export class PasswordHasher {
  readonly #semaphore = new Semaphore({
    concurrent: Math.max(1, availableParallelism() - 1),
    waiting: 64,
    patienceMs: 5_000,
  });
  /** Compared for unknown users: random bytes in the format and with the parameters of a real one. */
  readonly #decoy = `$argon2id$v=19$m=${String(PARAMETERS.memoryCost)},t=${String(PARAMETERS.timeCost)},p=${String(
    PARAMETERS.parallelism,
  )}$${unpadded(randomBytes(SALT_BYTES))}$${unpadded(randomBytes(HASH_BYTES))}`;

  /** @returns a PHC string. @throws BusyError when too many are waiting. */
  hash(password: string): Promise<string> {
    return this.#semaphore.run(() => hash(password, { ...PARAMETERS, hashLength: HASH_BYTES }));
  }

  /**
   * Whether `password` is the one behind `hashed`. Without a hash (an unknown user) it works just as long and says no,
   * so that the time of an answer does not tell who has an account.
   */
  verify(hashed: string | null, password: string): Promise<boolean> {
    return this.#semaphore.run(() => verify(hashed ?? this.#decoy, password));
  }

  /** Whether the parameters have risen since: the next time the password is at hand, hash it again. */
  isOutdated(hashed: string): boolean {
    return needsRehash(hashed, PARAMETERS);
  }
}

/** PHC strings carry base64 without its padding. */
function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
