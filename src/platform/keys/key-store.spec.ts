import { sign, verify } from 'node:crypto';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import type { Transactions } from '../prisma/transactions.js';
import { KeyStore } from './key-store.js';
import { generateSigningKey, type KeyPurpose, type StoredKey } from './signing-key.js';
import type { SigningKeysRepository } from './signing-keys.repository.js';
import { deriveKey } from '../crypto/derived-key.js';

const MASTER_KEY = Buffer.alloc(32, 7);

class SetClock extends Clock {
  time = 1_000_000;
  now = (): number => this.time;
  monotonic = (): number => this.time;
}

/** What PostgreSQL would hold, counting how often it is asked. */
class KeyTable {
  rows: StoredKey[] = [];
  reads = 0;
  failing = false;
  inserts = true;
  /** The answer is what was there when it was asked for, and comes late. */
  until: Promise<undefined> | undefined;

  async listUsable(purpose: KeyPurpose): Promise<StoredKey[]> {
    this.reads += 1;
    if (this.failing) {
      throw new Error('no database');
    }
    const found = this.rows.filter((key) => key.purpose === purpose && key.state !== 'retired');
    await this.until;
    return found;
  }

  lock(): Promise<void> {
    return Promise.resolve();
  }

  insert(key: StoredKey): Promise<void> {
    if (this.inserts) {
      this.rows.push(key);
    }
    return Promise.resolve();
  }
}

describe('KeyStore', () => {
  let table: KeyTable;
  let clock: SetClock;
  let store: KeyStore;
  let algorithm: 'RS256' | 'EdDSA';

  const another = (state: StoredKey['state'], purpose: KeyPurpose = 'order'): Promise<StoredKey> =>
    generateSigningKey({ purpose, algorithm: 'EdDSA', state }, deriveKey(MASTER_KEY, 'seal_private_keys'));

  function storeWith(masterKey: Buffer): KeyStore {
    return new KeyStore(
      { masterKey: () => masterKey, tokens: { algorithm } } as AppConfig,
      table as unknown as SigningKeysRepository,
      { independently: (work: () => Promise<unknown>) => work() } as Transactions,
      clock,
    );
  }

  beforeEach(() => {
    table = new KeyTable();
    clock = new SetClock();
    algorithm = 'RS256';
    store = storeWith(MASTER_KEY);
  });

  it('makes the first key of a purpose when it is needed, once for all who ask', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => store.signingKey('order')));
    expect(table.rows).toHaveLength(1);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1);
  });

  it('signs orders with Ed25519 and access tokens with RS256 over 3,072 bits', async () => {
    const order = await store.signingKey('order');
    const token = await store.signingKey('access_token');
    expect([order.alg, order.privateKey.asymmetricKeyType]).toEqual(['EdDSA', 'ed25519']);
    expect([token.alg, token.privateKey.asymmetricKeyDetails?.modulusLength]).toEqual(['RS256', 3_072]);
  });

  it('publishes the public half under its thumbprint, and nothing of the private one', async () => {
    const { kid, privateKey } = await store.signingKey('order');
    const [published] = await store.verificationKeys('order');
    expect(published).toEqual({ kty: 'OKP', crv: 'Ed25519', x: published?.x, kid, alg: 'EdDSA', use: 'sig' });
    const key = await store.verificationKey('order', kid);
    const message = Buffer.from('open');
    expect(key && verify(null, message, key, sign(null, message, privateKey))).toBe(true);
  });

  it('does not take a key for another purpose', async () => {
    const { kid } = await store.signingKey('order');
    await expect(store.verificationKey('access_token', kid)).resolves.toBeNull();
  });

  it('signs with the active key and verifies with the next and the passive ones, not with retired ones', async () => {
    const [active, next, passive, retired] = await Promise.all([
      another('active'),
      another('next'),
      another('passive'),
      another('retired'),
    ]);
    table.rows = [next, active, passive, retired];
    expect((await store.signingKey('order')).kid).toBe(active.kid);
    expect((await store.verificationKeys('order')).map(({ kid }) => kid)).toEqual([next.kid, active.kid, passive.kid]);
    await expect(store.verificationKey('order', next.kid)).resolves.not.toBeNull();
    await expect(store.verificationKey('order', passive.kid)).resolves.not.toBeNull();
    await expect(store.verificationKey('order', retired.kid)).resolves.toBeNull();
  });

  it('finds the keys of other processes after a minute', async () => {
    const first = await another('active');
    table.rows = [first];
    await store.signingKey('order');
    table.rows = [await another('active'), { ...first, state: 'passive' }];
    clock.time += 59_999;
    expect((await store.signingKey('order')).kid).toBe(first.kid);
    clock.time += 1;
    expect((await store.signingKey('order')).kid).toBe(table.rows[0]?.kid);
  });

  it('looks again for an unknown kid, so that no key is refused for being new', async () => {
    table.rows = [await another('active')];
    await store.signingKey('order');
    const added = await another('next');
    table.rows.push(added);
    await expect(store.verificationKey('order', added.kid)).resolves.not.toBeNull();
  });

  it('looks once for any number of unknown kids, and again only after half a second', async () => {
    table.rows = [await another('active')];
    await store.signingKey('order');
    jest.useFakeTimers();
    try {
      const invent = (): Promise<unknown> =>
        Promise.all(
          Array.from({ length: 50 }, (_, index) => store.verificationKey('order', `invented-${String(index)}`)),
        );
      const answers = invent();
      await jest.advanceTimersByTimeAsync(499);
      expect(table.reads).toBe(1);
      await jest.advanceTimersByTimeAsync(1);
      expect(await answers).toEqual(Array.from({ length: 50 }, () => null));
      expect(table.reads).toBe(2);
    } finally {
      jest.useRealTimers();
    }
  });

  it('does not answer for an unknown kid from a look that had begun before', async () => {
    table.rows = [await another('active')];
    await store.signingKey('order');
    clock.time += 500;
    const slow = Promise.withResolvers<undefined>();
    table.until = slow.promise;
    const early = store.verificationKey('order', 'invented');
    while (table.reads < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const added = await another('next');
    const late = store.verificationKey('order', added.kid);
    slow.resolve(undefined);
    table.until = undefined;
    await expect(early).resolves.toBeNull();
    table.rows = [...table.rows, added];
    await expect(late).resolves.not.toBeNull();
  });

  it('looks again when it is told to forget what it knows', async () => {
    const first = await another('active');
    table.rows = [first];
    await store.signingKey('order');
    table.rows = [await another('active'), { ...first, state: 'passive' }];
    store.forget();
    expect((await store.signingKey('order')).kid).toBe(table.rows[0]?.kid);
  });

  it('signs access tokens with Ed25519 where the configuration says so', async () => {
    algorithm = 'EdDSA';
    store = storeWith(MASTER_KEY);
    await expect(store.signingKey('access_token')).resolves.toMatchObject({ alg: 'EdDSA' });
  });

  it('asks once for many who find its memory stale at the same time', async () => {
    table.rows = [await another('active')];
    await store.signingKey('order');
    clock.time += 60_000;
    await Promise.all(Array.from({ length: 50 }, () => store.signingKey('order')));
    expect(table.reads).toBe(2);
  });

  it('asks again after the database failed', async () => {
    table.rows = [await another('active')];
    table.failing = true;
    await expect(store.signingKey('order')).rejects.toThrow('no database');
    table.failing = false;
    await expect(store.signingKey('order')).resolves.toBeDefined();
  });

  it('says so when it cannot open a key because the master key is another', async () => {
    table.rows = [await another('active')];
    await expect(storeWith(Buffer.alloc(32, 8)).signingKey('order')).rejects.toThrow('MASTER_KEY');
  });

  it('says so when there is no key even after it made one', async () => {
    table.inserts = false;
    await expect(store.signingKey('order')).rejects.toThrow('no active signing key for "order"');
  });
});
