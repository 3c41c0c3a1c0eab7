import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, type Log } from './log.js';
import { readOrderKeys, type OrderKeys } from './order-keys.js';

/** Fetches a JWK set from wherever it is kept. */
export type KeySource = (signal: AbortSignal) => Promise<unknown>;

const MAX_KEY_SET_BYTES = 65_536;
const FETCH_TIMEOUT_MS = 5000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

export function keysFromUrl(url: string): KeySource {
  return async (signal) => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
    const response = await fetch(url, { signal: bounded, redirect: 'error', headers: { accept: 'application/json' } });
    if (!response.ok) {
      throw new Error(`${url} answered ${String(response.status)}`);
    }
    return JSON.parse(await readBounded(response)) as unknown;
  };
}

export function keysFromFile(path: string): KeySource {
  return async () => JSON.parse(await readFile(path, 'utf8')) as unknown;
}

/** The keys this lock trusts now. A set that cannot be fetched or parsed leaves the old one in place. */
export class KeyRing {
  #keys: OrderKeys = new Map();
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #attempt: Promise<boolean> | undefined;

  constructor(
    private readonly source: KeySource,
    private readonly log: Log,
    private readonly signal: AbortSignal,
    private readonly restMs = 10_000,
  ) {}

  get keys(): OrderKeys {
    return this.#keys;
  }

  /** Tries until there are keys, or the lock ends. */
  async fill(): Promise<void> {
    for (let pause = FIRST_RETRY_MS; !(await this.#fetch()); pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
      await wait(pause, undefined, { signal: this.signal });
    }
  }

  /** For an order signed by a key we do not know. False soon after the last look: a forger must not make us fetch. */
  async lookAgain(): Promise<boolean> {
    if (this.#attempt) {
      return this.#attempt;
    }
    return performance.now() - this.#attemptedAt < this.restMs ? false : this.#fetch();
  }

  async #fetch(): Promise<boolean> {
    this.#attemptedAt = performance.now();
    this.#attempt = this.#replace();
    try {
      return await this.#attempt;
    } finally {
      this.#attempt = undefined;
    }
  }

  async #replace(): Promise<boolean> {
    try {
      this.#keys = readOrderKeys(await this.source(this.signal));
      this.log('keys', `trusts ${String(this.#keys.size)} order key(s)`, { kids: [...this.#keys.keys()] });
      return true;
    } catch (error) {
      this.log('trouble', `cannot get the order keys: ${messageOf(error)}`);
      return false;
    }
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_KEY_SET_BYTES) {
      throw new Error(`the key set is larger than ${String(MAX_KEY_SET_BYTES)} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
