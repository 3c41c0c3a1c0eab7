import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { Transactions } from '../prisma/transactions.js';
import { SignalBus } from '../redis/signal-bus.js';
import {
  SigningKeyInUseError,
  SigningKeyNotFoundError,
  SigningKeyRetiredError,
  TooManyKeysError,
} from '../crypto/crypto.errors.js';
import { deriveKey } from '../crypto/derived-key.js';
import { isIdle, type KeyTimes, nextOf, planKeys } from './key-plan.js';
import { FRESH_MS, KeyStore } from './key-store.js';
import {
  algorithmOf,
  generateSigningKey,
  KEY_PURPOSES,
  type KeyPurpose,
  type KeyRecord,
  type StoredKey,
} from './signing-key.js';
import { MAX_USABLE_KEYS, SigningKeysRepository } from './signing-keys.repository.js';

/** Twice as long as caches keep a key set (its `max-age`). */
const PUBLISHED_FOR_MS = 600_000;
/** The longest an order may wait for its device. */
const ORDER_LIFE_MS = 86_400_000;
/** Another process may sign with the key a moment longer, and no two clocks agree. */
const MARGIN_MS = FRESH_MS + 600_000;

/** A key made in advance: making one takes longer than a transaction should. */
export type Successor = StoredKey;

/**
 * Moves signing keys through their states. Each change is one transaction under an advisory lock, so any number of
 * processes may try at the same time: the later one finds nothing left to do.
 */
@Injectable()
export class KeyRotationService {
  readonly #encryptionKey: Buffer;

  constructor(
    private readonly config: AppConfig,
    private readonly keys: KeyStore,
    private readonly repository: SigningKeysRepository,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {
    this.#encryptionKey = deriveKey(config.masterKey(), 'seal_private_keys');
  }

  /** Does what is due: publishes, activates, retires. Harmless to repeat. */
  async maintain(): Promise<void> {
    for (const purpose of KEY_PURPOSES) {
      await this.keys.signingKey(purpose);
      const times = this.timesOf(purpose);
      const plan = planKeys(await this.repository.ages(purpose), times);
      if (!isIdle(plan)) {
        const successor = plan.publish ? await this.prepare(purpose) : null;
        await this.transactions.run(() => this.carryOut(purpose, times, successor));
      }
    }
  }

  /** Makes the key that will be `next` after a rotation. */
  async prepare(purpose: KeyPurpose): Promise<Successor> {
    await this.keys.signingKey(purpose);
    const algorithm = algorithmOf(purpose, this.config.tokens.algorithm);
    return generateSigningKey({ purpose, algorithm, state: 'next' }, this.#encryptionKey);
  }

  /**
   * Lets the next key sign from now on, whatever its age; where none was published, the successor itself takes over.
   * @returns the `kid` that signs now.
   * @throws TooManyKeysError
   */
  rotate(successor: Successor): Promise<string> {
    return this.transactions.run(async () => {
      const { purpose } = successor;
      await this.repository.lock(purpose);
      const keys = await this.repository.ages(purpose);
      if (keys.length >= MAX_USABLE_KEYS) {
        throw new TooManyKeysError(purpose);
      }
      const next = nextOf(keys, successor.algorithm);
      for (const { kid } of keys.filter(({ state }) => state === 'active')) {
        await this.repository.move(kid, 'active', 'passive');
      }
      if (next) {
        await this.repository.move(next.kid, 'next', 'active');
        await this.repository.insert(successor);
      } else {
        await this.repository.insert({ ...successor, state: 'active' });
      }
      this.tellAfterCommit();
      return next?.kid ?? successor.kid;
    });
  }

  /**
   * Lets a key verify nothing from now on, whatever it signed, and destroys its private half: for one that leaked. Other
   * processes hear of it, or find out within a minute.
   * @returns what it was for.
   * @throws SigningKeyNotFoundError, SigningKeyInUseError, SigningKeyRetiredError
   */
  retire(kid: string): Promise<KeyPurpose> {
    return this.transactions.run(async () => {
      const purpose = await this.repository.findPurpose(kid);
      if (purpose === null) {
        throw new SigningKeyNotFoundError(kid);
      }
      await this.repository.lock(purpose);
      const key = (await this.repository.ages(purpose)).find((each) => each.kid === kid);
      if (!key) {
        throw new SigningKeyRetiredError(kid);
      }
      if (key.state === 'active') {
        throw new SigningKeyInUseError(kid);
      }
      await this.repository.retire(kid);
      this.tellAfterCommit();
      return purpose;
    });
  }

  /** Every key there is or was, the newest first. */
  list(): Promise<KeyRecord[]> {
    return this.repository.list();
  }

  /** Decides again under the lock: what was due may have been done meanwhile. */
  private async carryOut(purpose: KeyPurpose, times: KeyTimes, successor: Successor | null): Promise<void> {
    await this.repository.lock(purpose);
    const plan = planKeys(await this.repository.ages(purpose), times);
    for (const kid of plan.retire) {
      await this.repository.retire(kid);
    }
    if (successor && plan.rotate) {
      await this.rotate(successor);
    } else if (successor && plan.publish) {
      await this.repository.insert(successor);
    }
    this.tellAfterCommit();
  }

  private tellAfterCommit(): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('signing_keys_changed', {});
    });
  }

  private timesOf(purpose: KeyPurpose): KeyTimes {
    const { tokens, keys } = this.config;
    return {
      algorithm: algorithmOf(purpose, tokens.algorithm),
      signsForMs: keys.rotationIntervalMs,
      publishedForMs: Math.min(PUBLISHED_FOR_MS, keys.rotationIntervalMs / 2),
      verifiesForMs: MARGIN_MS + (purpose === 'order' ? ORDER_LIFE_MS : tokens.accessTtlMs),
    };
  }
}
