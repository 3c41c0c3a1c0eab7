import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

/** Proofs that are remembered as spent; the one that was not shown for longest is forgotten first. */
const SPENT_CAPACITY = 10_000;

/** What a request may bring in place of an access token: its body, headers and cookies have been read. */
export type ProvingRequest = Pick<FastifyRequest, 'body' | 'headers' | 'cookies'>;

/**
 * Reads a secret of this server that a request brings. It may not ask the database, because it is called for requests of
 * blocked addresses.
 * @returns the key that the request is limited by; null when it brings none, or a forged one.
 */
export type ProofReader = (request: ProvingRequest) => string | null;

/** Who reads the proofs that routes name with `@ProvenBy`. Features register at `onModuleInit`. */
@Injectable()
export class RequestProofRegistry {
  readonly #readers = new Map<string, ProofReader>();
  readonly #spent = new LRUCache<string, true>({ max: SPENT_CAPACITY });

  register(name: string, reader: ProofReader): void {
    this.#readers.set(name, reader);
  }

  /** The proof with this key was genuine, but opens nothing any more: this process takes it for none from now on. */
  discredit(key: string): void {
    this.#spent.set(key, true);
  }

  /** @throws for a name without a reader. */
  read(name: string, request: ProvingRequest): string | null {
    const reader = this.#readers.get(name);
    if (!reader) {
      throw new Error(`No reader of the proof "${name}": its feature registers one at onModuleInit.`);
    }
    const key = reader(request);
    return key === null || this.#spent.get(key) ? null : key;
  }
}
