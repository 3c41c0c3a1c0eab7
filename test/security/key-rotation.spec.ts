/**
 * P-08: key rotation is invisible. Two processes sign and verify without a pause while a third one, which can tell
 * them nothing (it has no Redis), rotates again and again: every token is presented to both.
 * Seen failing on broken builds: without the second look for an unknown kid 10 of 5,354 and 28 of 3,018 were refused;
 * with passive keys that no longer verify 164 of 5,518 and 78 of 3,548.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { KeyRotationService } from '../../src/platform/keys/key-rotation.service.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import type { Principal } from '../../src/platform/auth/principal.js';
import { Authenticator } from '../../src/platform/auth/authenticator.js';
import { openSession } from '../support/accounts.fixture.js';
import { TestApp } from '../support/test-app.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { recordFigure, scaled } from '../support/promise.js';
import { emptyRedis } from '../support/redis.js';

const REQUESTS = scaled(3_000, 100_000);
const ROTATIONS = scaled(12, 60);
const AT_ONCE = 16;
const NO_REDIS = 'redis://127.0.0.1:1';

describe.each(['RS256', 'EdDSA'])('P-08: rotation of %s keys under load', (algorithm) => {
  let database: TestDatabase;
  let nodes: readonly [TestApp, TestApp];
  let rotator: TestApp;

  const start = (redisUrl: string): Promise<TestApp> =>
    TestApp.start({
      env: { ROLES: 'api', DATABASE_URL: database.url, REDIS_URL: redisUrl, TOKEN_ALGORITHM: algorithm },
    });

  beforeAll(async () => {
    database = await createTestDatabase();
    const redisUrl = await emptyRedis();
    nodes = await Promise.all([start(redisUrl), start(redisUrl)]);
    // It shares no signals: what the other two learn, they learn from PostgreSQL.
    rotator = await start(NO_REDIS);
  });

  afterAll(async () => {
    await Promise.all([...nodes, rotator].map((node) => node.stop()));
    await database.drop();
  });

  /** As the passing of time does in production: keys retire, so that the set never fills up. */
  async function rotate(principal: Principal): Promise<string> {
    const rotation = rotator.get(KeyRotationService);
    await rotation.rotate(await rotation.prepare('access_token'));
    await rotator.rows(
      `UPDATE signing_keys SET state = 'retired' WHERE kid IN
         (SELECT kid FROM signing_keys WHERE state = 'passive' ORDER BY changed_at DESC OFFSET 10)`,
    );
    rotator.get(KeyStore).forget();
    // It signs with the new key at once; the others have never received of it.
    return (await rotator.get(AccessTokenFactory).sign(principal)).token;
  }

  it('refuses no valid token', async () => {
    const principal = await nodes[0].get(Authenticator).authenticate((await openSession(nodes[0])).accessToken);
    const kids = new Set<string | undefined>();
    const refusals: unknown[] = [];
    let [sent, rotations] = [0, 0];

    async function present(token: string): Promise<void> {
      kids.add(decodeProtectedHeader(token).kid);
      for (const node of nodes) {
        sent += 1;
        await node
          .get(Authenticator)
          .authenticate(token)
          .catch((error: unknown) => refusals.push(error));
      }
    }

    async function load(worker: number): Promise<void> {
      while (sent < REQUESTS || rotations < ROTATIONS) {
        // The key of a process changes when it looks again, as it does once a minute.
        const signer = nodes[worker % 2 === 0 ? 0 : 1];
        if (worker < 2) {
          signer.get(KeyStore).forget();
        }
        await present((await signer.get(AccessTokenFactory).sign(principal)).token);
      }
    }

    async function rotateAll(): Promise<void> {
      for (; rotations < ROTATIONS; rotations += 1) {
        await present(await rotate(principal));
      }
    }

    await Promise.all([rotateAll(), ...Array.from({ length: AT_ONCE }, (_, worker) => load(worker))]);
    recordFigure({
      promise: 'P-08',
      shown: `tokens presented to two processes during ${String(rotations)} rotations of ${algorithm} keys:`,
      n: sent,
      figure: `${String(refusals.length)} refusals, ${String(kids.size)} keys signed`,
    });
    expect(refusals).toEqual([]);
    expect(kids.size).toBeGreaterThan(ROTATIONS / 2);
  });

  it('detects invalid tokens: one of a retired key, or without a session, is refused', async () => {
    const ada = await openSession(nodes[0]);
    await rotator.rows(`UPDATE signing_keys SET state = 'retired' WHERE kid = $1`, [
      decodeProtectedHeader(ada.accessToken).kid,
    ]);
    const restarted = await start(NO_REDIS);
    await expect(restarted.get(Authenticator).authenticate(ada.accessToken)).rejects.toMatchObject({
      code: 'token_invalid',
    });
    await expect(restarted.get(KeyStore).verificationKey('access_token', 'nobody')).resolves.toBeNull();
    await restarted.stop();
  });
});
