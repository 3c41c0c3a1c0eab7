import { createPrivateKey, sign, verify } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { deriveKey } from '../../src/platform/crypto/derived-key.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { DecryptionError, decrypt } from '../../src/platform/crypto/encryption.js';
import { newMasterKey } from '../support/installation.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';
import { TestApp } from '../support/test-app.js';

interface KeyRow {
  readonly kid: string;
  readonly state: string;
  readonly public_jwk: Record<string, string>;
  readonly sealed_private: Buffer;
}

describe('signing keys of an installation', () => {
  const masterKey = newMasterKey();
  const running: TestApp[] = [];
  const databases: TestDatabase[] = [];
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
    databases.push(database);
  });

  afterAll(async () => {
    await Promise.all(running.map((node) => node.stop()));
    await Promise.all(databases.map((each) => each.drop()));
  });

  async function boot(key = masterKey): Promise<TestApp> {
    const node = await TestApp.start({
      env: { ROLES: 'api', DATABASE_URL: database.url, REDIS_URL: await emptyRedis(), MASTER_KEY: key },
    });
    running.push(node);
    return node;
  }

  const keysOf = (node: TestApp): Promise<KeyRow[]> => node.rows<KeyRow>('SELECT * FROM signing_keys ORDER BY purpose');

  it('are made once, however many processes boot at the same time', async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, () => boot()));
    const kids = await Promise.all(
      nodes.map(async (node) => (await node.get(KeyStore).signingKey('access_token')).kid),
    );
    const orderKids = await Promise.all(nodes.map(async (node) => (await node.get(KeyStore).signingKey('order')).kid));
    const [node] = nodes;
    const rows = node ? await keysOf(node) : [];
    expect(rows.map(({ kid, state }) => [kid, state])).toEqual([
      [kids[0], 'active'],
      [orderKids[0], 'active'],
    ]);
    expect([new Set(kids).size, new Set(orderKids).size]).toEqual([1, 1]);
  });

  it('stay the same over a restart', async () => {
    const first = await (await boot()).get(KeyStore).signingKey('order');
    const second = await (await boot()).get(KeyStore).signingKey('order');
    expect(second.kid).toBe(first.kid);
    const verifier = await (await boot()).get(KeyStore).verificationKey('order', first.kid);
    const message = Buffer.from('open');
    expect(verifier && verify(null, message, verifier, sign(null, message, second.privateKey))).toBe(true);
  });

  it('are sealed each for itself: another place or another master key does not open them', async () => {
    const node = await boot();
    await node.get(KeyStore).signingKey('order');
    await node.rows(`UPDATE signing_keys SET state = 'retired'`);
    await (await boot()).get(KeyStore).signingKey('order');
    const [one, other] = await keysOf(node);
    if (!one || !other) {
      throw new Error('Two keys were expected.');
    }
    const key = deriveKey(Buffer.from(masterKey, 'base64'), 'seal_private_keys');
    const place = ({ kid }: KeyRow): string => `signing_keys.sealed_private.${kid}`;
    for (const row of [one, other]) {
      const der = decrypt(key, row.sealed_private, place(row));
      expect(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).asymmetricKeyType).toBe('ed25519');
      expect(Object.keys(row.public_jwk)).not.toContain('d');
    }
    expect(one.sealed_private.equals(other.sealed_private)).toBe(false);
    expect(() => decrypt(key, one.sealed_private, place(other))).toThrow(DecryptionError);
    const foreign = deriveKey(Buffer.from(newMasterKey(), 'base64'), 'seal_private_keys');
    expect(() => decrypt(foreign, one.sealed_private, place(one))).toThrow(DecryptionError);
  });

  it('are not used, nor replaced, by a process with another master key', async () => {
    const node = await boot();
    await node.get(KeyStore).signingKey('order');
    const stranger = await boot(newMasterKey());
    await expect(stranger.get(KeyStore).signingKey('order')).rejects.toThrow('MASTER_KEY');
    expect(await keysOf(node)).toHaveLength(1);
  });
});
