import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { KeyRotationService } from '../../src/platform/keys/key-rotation.service.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { SigningKeysRepository } from '../../src/platform/keys/signing-keys.repository.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { SigningKeysService } from '../../src/features/signing-keys/signing-keys.service.js';
import type { SignedIn } from '../../src/features/auth/auth.types.js';
import { TestApp } from '../support/test-app.js';
import { Authenticator } from '../../src/platform/auth/authenticator.js';
import { createAccount, openSession, signIn, type Account } from '../support/accounts.fixture.js';
import { request } from '../support/rest.js';
import { newMasterKey } from '../support/installation.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

interface KeyRow {
  readonly kid: string;
  readonly algorithm: string;
  readonly state: string;
  readonly sealed: number;
}

describe('the rotation of signing keys', () => {
  const masterKey = newMasterKey();
  let database: TestDatabase;
  let running: TestApp[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    await Promise.all(running.map((node) => node.stop()));
    running = [];
    await database.drop();
  });

  async function boot(env: Record<string, string> = {}): Promise<TestApp> {
    const node = await TestApp.start({
      env: { ROLES: 'api', DATABASE_URL: database.url, REDIS_URL: await emptyRedis(), MASTER_KEY: masterKey, ...env },
    });
    running.push(node);
    return node;
  }

  const keysOf = (node: TestApp, purpose = 'access_token'): Promise<KeyRow[]> =>
    node.rows<KeyRow>(
      `SELECT kid, algorithm, state, length(sealed_private) AS sealed FROM signing_keys WHERE purpose = $1 ORDER BY created_at`,
      [purpose],
    );
  const statesOf = async (node: TestApp, purpose = 'access_token'): Promise<string[]> =>
    (await keysOf(node, purpose)).map(({ state }) => state);
  const age = (node: TestApp, state: string, interval: string): Promise<unknown> =>
    node.rows(`UPDATE signing_keys SET changed_at = changed_at - $2::interval WHERE state = $1::key_state`, [
      state,
      interval,
    ]);
  const kidOf = ({ accessToken }: { accessToken: string }): string | undefined =>
    decodeProtectedHeader(accessToken).kid;

  it('publishes the next key of each purpose long before it signs', async () => {
    const node = await boot();
    await node.get(KeyRotationService).maintain();
    for (const purpose of ['access_token', 'order'] as const) {
      const [active, next] = await keysOf(node, purpose);
      expect([active?.state, next?.state]).toEqual(['active', 'next']);
      node.get(KeyStore).forget();
      const published = (await node.get(KeyStore).verificationKeys(purpose)).map(({ kid }) => kid);
      expect(published.sort()).toEqual([active?.kid, next?.kid].sort());
      expect((await node.get(KeyStore).signingKey(purpose)).kid).toBe(active?.kid);
    }
  });

  it('happens when its time has come, once for however many processes try', async () => {
    const nodes = await Promise.all([boot(), boot()]);
    await nodes[0].get(KeyRotationService).maintain();
    const [active, next] = await keysOf(nodes[0]);
    await age(nodes[0], 'active', '29 days');
    await nodes[0].get(KeyRotationService).maintain();
    expect(await statesOf(nodes[0])).toEqual(['active', 'next']);
    await age(nodes[0], 'active', '1 day');
    await age(nodes[0], 'next', '1 hour');
    await Promise.all([...nodes, ...nodes].map((node) => node.get(KeyRotationService).maintain()));
    expect((await keysOf(nodes[0])).map(({ kid, state }) => [kid, state])).toEqual([
      [active?.kid, 'passive'],
      [next?.kid, 'active'],
      [expect.any(String), 'next'],
    ]);
  });

  it('keeps a passive key until the last token it signed has expired; then its private half is gone', async () => {
    const node = await boot();
    const ada = await openSession(node);
    await node.get(KeyRotationService).maintain();
    await node.get(SigningKeysService).rotate('access_token');
    await age(node, 'passive', '20 minutes');
    await node.get(KeyRotationService).maintain();
    await expect(node.get(Authenticator).authenticate(ada.accessToken)).resolves.toBeDefined();
    await age(node, 'passive', '10 minutes');
    await node.get(KeyRotationService).maintain();
    const [retired] = await keysOf(node);
    expect(retired).toMatchObject({ kid: kidOf(ada), state: 'retired', sealed: 0 });
    await expect(node.get(KeyStore).verificationKey('access_token', retired?.kid ?? '')).resolves.toBeNull();
  });

  it('keeps a key for orders for as long as an order may wait for its lock', async () => {
    const node = await boot();
    await node.get(KeyRotationService).maintain();
    await node.get(SigningKeysService).rotate('order');
    await age(node, 'passive', '24 hours');
    await node.get(KeyRotationService).maintain();
    expect(await statesOf(node, 'order')).toEqual(['passive', 'active', 'next']);
    await age(node, 'passive', '15 minutes');
    await node.get(KeyRotationService).maintain();
    expect(await statesOf(node, 'order')).toEqual(['retired', 'active', 'next']);
  });

  it('changes the algorithm by the same way, and tokens of both are good meanwhile', async () => {
    const before = await boot();
    await before.get(KeyRotationService).maintain();
    const ada = await openSession(before);
    const after = await boot({ TOKEN_ALGORITHM: 'EdDSA' });
    await after.get(KeyRotationService).maintain();
    expect((await keysOf(after)).map(({ algorithm, state }) => `${algorithm} ${state}`)).toEqual([
      'RS256 active',
      'RS256 retired',
      'EdDSA next',
    ]);
    await age(after, 'next', '10 minutes');
    await after.get(KeyRotationService).maintain();
    const bea: SignedIn = await openSession(after);
    expect(decodeProtectedHeader(bea.accessToken)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    for (const node of [before, after]) {
      await expect(node.get(Authenticator).authenticate(ada.accessToken)).resolves.toBeDefined();
      await expect(node.get(Authenticator).authenticate(bea.accessToken)).resolves.toBeDefined();
    }
    expect((await after.get(KeyStore).verificationKeys('access_token')).map(({ kty }) => kty).sort()).toEqual([
      'OKP',
      'OKP',
      'RSA',
    ]);
  });

  it('takes the successor itself where no key was published, and stops when too many still verify', async () => {
    const node = await boot();
    const rotation = node.get(KeyRotationService);
    const first = await rotation.prepare('order');
    expect(await rotation.rotate(first)).toBe(first.kid);
    expect(await statesOf(node, 'order')).toEqual(['passive', 'active']);
    const rotateMany = async (): Promise<void> => {
      for (let index = 0; index < 20; index += 1) {
        await rotation.rotate(await rotation.prepare('order'));
      }
    };
    await expect(rotateMany()).rejects.toMatchObject({ code: 'too_many_signing_keys', kind: 'conflict' });
    // What locks take at most: they keep the set they have when it is larger.
    expect(await node.get(KeyStore).verificationKeys('order')).toHaveLength(16);
  });

  it('moves no key that has moved already, and retires none that signs', async () => {
    const node = await boot();
    const { kid } = await node.get(KeyStore).signingKey('order');
    const table = node.get(SigningKeysRepository);
    await expect(table.move(kid, 'next', 'active')).rejects.toThrow('no longer next');
    await expect(table.retire(kid)).rejects.toThrow('could not be retired');
    expect(await statesOf(node, 'order')).toEqual(['active']);
  });

  it('is all or nothing', async () => {
    const node = await boot();
    const rotation = node.get(KeyRotationService);
    await rotation.maintain();
    const successor = await rotation.prepare('order');
    const failing = node.get(Transactions).run(async () => {
      await rotation.rotate(successor);
      throw new Error('the audit failed');
    });
    await expect(failing).rejects.toThrow('the audit failed');
    expect(await statesOf(node, 'order')).toEqual(['active', 'next']);
  });
});

describe('signing keys in the whole application', () => {
  let application: TestApp | undefined;
  let sql: Sql | undefined;

  afterEach(async () => {
    await sql?.end();
    await application?.stop();
  });

  it('are looked after by the worker role by itself', async () => {
    application = await TestApp.start({ env: { ROLES: 'worker', TOKEN_ALGORITHM: 'EdDSA' } });
    const rows = await Sql.open(application.databaseUrl);
    sql = rows;
    await eventually('the next keys are there', async () => {
      const keys = await rows.rows('SELECT purpose, state::text FROM signing_keys ORDER BY purpose, state');
      return keys.length === 4 && keys.every(({ state }, index) => state === (index % 2 === 0 ? 'active' : 'next'));
    });
  });

  it('are listed and rotated by administrators, never with their private halves, and audited', async () => {
    application = await TestApp.start({ env: { ROLES: 'api', TOKEN_ALGORITHM: 'EdDSA' } });
    sql = await Sql.open(application.databaseUrl);
    const { url } = application;
    const ada: Account = await createAccount(url, 'ada');
    const call = (method: string, path: string, token: string) =>
      request<{ items: { kid: string; purpose: string; state: string }[]; code?: string }>(
        url,
        method,
        `/api/v1/auth/signing-keys${path}`,
        { token },
      );
    for (const [method, path] of [['GET', ''] as const, ['POST', '/rotate'] as const]) {
      expect((await call(method, path, ada.accessToken)).status).toBe(403);
    }
    await sql.rows(`UPDATE users SET role = 'ADMIN' WHERE id = $1`, [ada.id]);
    const { accessToken } = await signIn(url, ada.email);
    const before = await call('GET', '', accessToken);
    expect(before.status).toBe(200);
    const [key] = before.body.items.filter(({ purpose }) => purpose === 'access_token');
    expect(Object.keys(key ?? {}).sort()).toEqual(['alg', 'changedAt', 'createdAt', 'kid', 'purpose', 'state']);

    expect((await call('POST', '/rotate?purpose=door', accessToken)).status).toBe(400);
    const after = await call('POST', '/rotate?purpose=access_token', accessToken);
    expect(after.status).toBe(200);
    const ofTokens = after.body.items.filter(({ purpose }) => purpose === 'access_token');
    expect(ofTokens.map(({ state }) => state)).toEqual(['active', 'passive']);
    expect((await call('GET', '', accessToken)).status).toBe(200);
    const both = await call('POST', '/rotate', accessToken);
    expect(
      both.body.items
        .filter(({ state }) => state === 'active')
        .map(({ purpose }) => purpose)
        .sort(),
    ).toEqual(['access_token', 'order']);
    const audited = await sql.rows<{ entity_id: string; outcome: string; after: unknown }>(
      `SELECT entity_id, outcome, after FROM audit_entries WHERE action = 'signing_keys_rotated' AND outcome = 'success' ORDER BY id`,
    );
    expect(audited).toHaveLength(3);
    expect(audited[0]?.entity_id).toBe(ofTokens[0]?.kid);
    expect(JSON.stringify(audited)).not.toMatch(/sealed|private|"d"/);
  });
});
