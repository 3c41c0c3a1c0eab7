import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { ipKey } from '../http/client-address.js';

/** Proofs that are remembered as spent; the one that was not shown for longest is forgotten first. */
const SPENT_CAPACITY = 10_000;
/** Subjects at addresses whose proofs are counted; the one of which none was shown for longest is forgotten first. */
const SUBJECT_CAPACITY = 10_000;
/** So many different proofs of one subject pass at an address in a window: who has a stock of them keeps none out elsewhere. */
const PROOFS_OF_SUBJECT = 10;
const SUBJECT_WINDOW_MS = 10 * 60_000;

/** What a request may bring in place of an access token: its body, headers, cookies and query have been read. */
export type ProvingRequest = Pick<FastifyRequest, 'body' | 'headers' | 'cookies' | 'query'>;

export interface RequestProof {
  /** What the request is limited by, in place of its address. */
  readonly key: string;
  /** Where many are made for one thing: that thing. Only so many of its proofs count, the others are taken for none. */
  readonly subject?: string;
}

/**
 * Reads a secret of this server that a request brings. It may not ask the database, because it is called for requests of
 * blocked addresses.
 * @returns null when it brings none, or a forged one.
 */
export type ProofReader = (request: ProvingRequest) => RequestProof | null;

/** Who reads the proofs that routes name with `@ProvenBy`. Features register at `onModuleInit`. */
@Injectable()
export class RequestProofRegistry {
  readonly #readers = new Map<string, ProofReader>();
  readonly #spent = new LRUCache<string, true>({ max: SPENT_CAPACITY });
  readonly #shown = new LRUCache<string, Set<string>>({ max: SUBJECT_CAPACITY, ttl: SUBJECT_WINDOW_MS });

  register(name: string, reader: ProofReader): void {
    this.#readers.set(name, reader);
  }

  /** The proof with this key was genuine, but opens nothing any more: this process takes it for none from now on. */
  discredit(key: string): void {
    this.#spent.set(key, true);
  }

  /** @returns the key that the request is limited by. @throws for a name without a reader. */
  read(name: string, request: FastifyRequest): string | null {
    const reader = this.#readers.get(name);
    if (!reader) {
      throw new Error(`No reader of the proof "${name}": its feature registers one at onModuleInit.`);
    }
    const proof = reader(request);
    return proof === null || this.#spent.get(proof.key) || !this.isWithinSubject(proof, ipKey(request))
      ? null
      : proof.key;
  }

  private isWithinSubject({ key, subject }: RequestProof, ip: string): boolean {
    if (subject === undefined) {
      return true;
    }
    const place = `${ip} ${subject}`;
    let shown = this.#shown.get(place);
    if (!shown) {
      shown = new Set();
      this.#shown.set(place, shown);
    }
    if (shown.size < PROOFS_OF_SUBJECT) {
      shown.add(key);
    }
    return shown.has(key);
  }
}
