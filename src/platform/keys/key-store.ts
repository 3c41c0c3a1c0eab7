import type { KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import { newContext, runInContext } from '../context/request-context.js';
import { outsideTransaction, Transactions } from '../prisma/transactions.js';
import { deriveKey } from '../crypto/derived-key.js';
import {
  algorithmOf,
  generateSigningKey,
  type KeyPurpose,
  openPrivateKey,
  openPublicKey,
  type PublicJwk,
  type SigningAlgorithm,
  type StoredKey,
} from './signing-key.js';
import { SigningKeysRepository } from './signing-keys.repository.js';

export type { KeyPurpose, PublicJwk } from './signing-key.js';

/** How long this process may not know that another one changed the keys. */
export const FRESH_MS = 60_000;
/** How often unknown `kid`s may cause another look-up: any client can invent one. */
const LOOK_AGAIN_MS = 500;

/** The key that signs now. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly privateKey: KeyObject;
}

/** The usable keys of one purpose, imported once: signing with a string instead of a KeyObject costs fifty times as much. */
interface KeyRing {
  readonly signing: SigningKey;
  readonly published: readonly PublicJwk[];
  readonly verifying: ReadonlyMap<string, KeyObject>;
  readonly loadedAt: number;
}

/**
 * The signing keys of the installation. They live in PostgreSQL, private halves encrypted with the master key; whichever
 * process needs a key first makes it, and every other process finds that one.
 */
@Injectable()
export class KeyStore {
  readonly #encryptionKey: Buffer;
  readonly #rings = new Map<KeyPurpose, Promise<KeyRing>>();
  /** As they were loaded last, which may be long ago. */
  readonly #loaded = new Map<KeyPurpose, KeyRing>();
  /** Look-ups that have not begun yet, so that a caller that joins one sees what was committed before its call. */
  readonly #looks = new Map<KeyPurpose, Promise<KeyRing>>();

  constructor(
    private readonly config: AppConfig,
    private readonly repository: SigningKeysRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {
    this.#encryptionKey = deriveKey(config.masterKey(), 'seal_private_keys');
  }

  /** The active key of a purpose. @throws DecryptionError when the master key is not the one it was encrypted with. */
  async signingKey(purpose: KeyPurpose): Promise<SigningKey> {
    return (await this.ring(purpose)).signing;
  }

  /** Public keys for a JWK set (RFC 7517): also the next one, so that verifiers know it before it signs. */
  async verificationKeys(purpose: KeyPurpose): Promise<PublicJwk[]> {
    return [...(await this.ring(purpose)).published];
  }

  /** The public key with this `kid`, or null when it is unknown, retired, or for another purpose. */
  async verificationKey(purpose: KeyPurpose, kid: string): Promise<KeyObject | null> {
    const ring = await this.ring(purpose);
    // Another process may have made it a moment ago.
    return ring.verifying.get(kid) ?? (await this.lookAgain(purpose, ring)).verifying.get(kid) ?? null;
  }

  /**
   * Like {@link verificationKey}, from memory alone: it waits for nothing, and may not know what changed a moment ago.
   * @returns undefined as long as none was loaded
   */
  rememberedKey(purpose: KeyPurpose, kid: string): KeyObject | null | undefined {
    const ring = this.#loaded.get(purpose);
    return ring && (ring.verifying.get(kid) ?? null);
  }

  /** The keys were changed: the next caller loads them. */
  forget(): void {
    this.#rings.clear();
  }

  /**
   * One look-up for all callers with an unknown `kid`, and the next not before half a second has passed: a good
   * token waits that long at worst, and is never refused for coming early.
   */
  private lookAgain(purpose: KeyPurpose, ring: KeyRing): Promise<KeyRing> {
    const planned = this.#looks.get(purpose);
    if (planned) {
      return planned;
    }
    const waitMs = Math.max(0, ring.loadedAt + LOOK_AGAIN_MS - this.clock.monotonic());
    const look = new Promise((resolve) => setTimeout(resolve, waitMs)).then(() => {
      this.#looks.delete(purpose);
      return this.reload(purpose);
    });
    this.#looks.set(purpose, look);
    return look;
  }

  private async ring(purpose: KeyPurpose): Promise<KeyRing> {
    const held = this.#rings.get(purpose);
    const ring = await held;
    if (ring && this.clock.monotonic() - ring.loadedAt < FRESH_MS) {
      return ring;
    }
    // The first caller that waited is loading already.
    const current = this.#rings.get(purpose);
    return current && current !== held ? current : this.reload(purpose);
  }

  private reload(purpose: KeyPurpose): Promise<KeyRing> {
    // Shared by all callers, so it belongs neither to the transaction nor to the request of the first one.
    const loading = outsideTransaction(() => runInContext(newContext('system', 'system'), () => this.load(purpose)));
    this.#rings.set(purpose, loading);
    loading.catch(() => {
      if (this.#rings.get(purpose) === loading) {
        this.#rings.delete(purpose);
      }
    });
    return loading;
  }

  private async load(purpose: KeyPurpose): Promise<KeyRing> {
    const found = await this.repository.listUsable(purpose);
    const keys = found.some(isActive) ? found : await this.createFirst(purpose);
    const active = keys.find(isActive);
    if (!active) {
      throw new Error(`There is no active signing key for "${purpose}".`);
    }
    const ring = {
      signing: { kid: active.kid, alg: active.algorithm, privateKey: openPrivateKey(active, this.#encryptionKey) },
      published: keys.map((key) => key.publicJwk),
      verifying: new Map(keys.map((key) => [key.kid, openPublicKey(key)])),
      loadedAt: this.clock.monotonic(),
    };
    this.#loaded.set(purpose, ring);
    return ring;
  }

  /**
   * Made before the lock is taken: processes that boot together may each make a pair, but none waits a second in a
   * transaction, and only the first pair is kept.
   */
  private async createFirst(purpose: KeyPurpose): Promise<StoredKey[]> {
    const algorithm = algorithmOf(purpose, this.config.tokens.algorithm);
    const created = await generateSigningKey({ purpose, algorithm, state: 'active' }, this.#encryptionKey);
    return this.transactions.independently(async () => {
      await this.repository.lock(purpose);
      if (!(await this.repository.listUsable(purpose)).some(isActive)) {
        await this.repository.insert(created);
      }
      return this.repository.listUsable(purpose);
    });
  }
}

function isActive(key: StoredKey): boolean {
  return key.state === 'active';
}
