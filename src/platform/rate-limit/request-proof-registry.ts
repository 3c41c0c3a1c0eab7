import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

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

  register(name: string, reader: ProofReader): void {
    this.#readers.set(name, reader);
  }

  /** @throws for a name without a reader. */
  read(name: string, request: ProvingRequest): string | null {
    const reader = this.#readers.get(name);
    if (!reader) {
      throw new Error(`No reader of the proof "${name}": its feature registers one at onModuleInit.`);
    }
    return reader(request);
  }
}
