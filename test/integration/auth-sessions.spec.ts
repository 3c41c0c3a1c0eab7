import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { SessionActivityService } from '../../src/features/auth/sessions/session-activity.service.js';
import type { SignedIn } from '../../src/features/auth/auth.types.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { waitUntil } from '../../tools/stack/wait-until.js';
import { SessionsService } from '../../src/features/auth/sessions/sessions.service.js';
import { Authenticator } from '../../src/platform/auth/authenticator.js';
import { CLIENT, openSession } from '../support/accounts.fixture.js';
import { TestApp } from '../support/test-app.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';

interface SessionRow {
  readonly id: string;
  readonly refresh_counter: number;
  readonly revoked_reason: string | null;
  readonly address: string | null;
  readonly user_agent: string | null;
  readonly lifetime: number;
  readonly seen_ago: number;
}

describe('sessions in two processes', () => {
  let database: TestDatabase;
  let node: TestApp;
  let other: TestApp;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = { ROLES: 'api', DATABASE_URL: database.url, REDIS_URL: await emptyRedis() };
    [node, other] = await Promise.all([TestApp.start({ env }), TestApp.start({ env })]);
  });

  afterAll(async () => {
    await Promise.all([node.stop(), other.stop()]);
    await database.drop();
  });

  const sessionId = ({ accessToken }: { accessToken: string }): string => decodeJwt<{ sid: string }>(accessToken).sid;

  async function rowOf(signedIn: SignedIn): Promise<SessionRow | undefined> {
    const [row] = await node.rows<SessionRow>(
      `SELECT *, extract(epoch FROM expires_at - now())::int AS lifetime, extract(epoch FROM now() - last_seen_at)::int AS seen_ago
       FROM sessions WHERE id = $1`,
      [sessionId(signedIn)],
    );
    return row;
  }

  const principalOf = (signedIn: SignedIn): object => ({
    userId: signedIn.user.id,
    sessionId: sessionId(signedIn),
    role: 'USER',
  });

  it('open with a token pair, and keep of the refresh token only what it takes to know it again', async () => {
    const ada = await openSession(node);
    expect(decodeProtectedHeader(ada.accessToken)).toMatchObject({
      alg: 'RS256',
      typ: 'at+jwt',
      kid: expect.any(String),
    });
    expect(ada.expiresInSeconds).toBe(900);
    const row = await rowOf(ada);
    expect(row).toMatchObject({ refresh_counter: 1, address: '192.0.2.7', user_agent: 'jest', revoked_reason: null });
    expect(row?.lifetime).toBeGreaterThan(7 * 86_400 - 60);
    expect(JSON.stringify(row)).not.toContain(ada.refreshToken);
  });

  it('are accepted by every process', async () => {
    const ada = await openSession(node);
    await expect(node.get(Authenticator).authenticate(ada.accessToken)).resolves.toEqual(principalOf(ada));
    await expect(other.get(Authenticator).authenticate(ada.accessToken)).resolves.toEqual(principalOf(ada));
  });

  it('publish the key that verifies their access tokens', async () => {
    const { accessToken } = await openSession(node);
    const { kid } = decodeProtectedHeader(accessToken);
    expect((await other.get(KeyStore).verificationKeys('access_token')).map((key) => key.kid)).toContain(kid);
  });

  it('go on with another pair after each refresh, for seven more days', async () => {
    const ada = await openSession(node);
    await node.rows(`UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id = $1`, [sessionId(ada)]);
    const second = await node.get(SessionsService).refresh(ada.refreshToken, CLIENT);
    const third = await other.get(SessionsService).refresh(second.refreshToken, CLIENT);
    expect(new Set([ada, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
    expect(new Set([ada, second, third].map(({ accessToken }) => decodeJwt(accessToken).jti)).size).toBe(3);
    expect(sessionId(third)).toBe(sessionId(ada));
    expect(await rowOf(ada)).toMatchObject({ refresh_counter: 3 });
    expect((await rowOf(ada))?.lifetime).toBeGreaterThan(7 * 86_400 - 60);
  });

  it('end with logout: access and refresh token are refused at once, and soon in every other process', async () => {
    const ada = await openSession(node);
    const principal = await node.get(Authenticator).authenticate(ada.accessToken);
    await other.get(Authenticator).authenticate(ada.accessToken);
    await node.get(SessionsService).logout(principal);
    await expect(node.get(Authenticator).authenticate(ada.accessToken)).rejects.toMatchObject({
      code: 'session_ended',
    });
    await expect(node.get(SessionsService).refresh(ada.refreshToken, CLIENT)).rejects.toMatchObject({
      code: 'invalid_refresh_token',
    });
    await expect(other.get(SessionsService).refresh(ada.refreshToken, CLIENT)).rejects.toMatchObject({
      code: 'invalid_refresh_token',
    });
    await waitUntil(
      () =>
        other
          .get(Authenticator)
          .authenticate(ada.accessToken)
          .then(
            () => false,
            () => true,
          ),
      {
        withinMs: 2_000,
        everyMs: 20,
        otherwise: () => new Error('The other process still accepts the access token.'),
      },
    );
    expect(await rowOf(ada)).toMatchObject({ revoked_reason: 'logout' });
  });

  it('keep the reason they ended with first', async () => {
    const ada = await openSession(node);
    const principal = await node.get(Authenticator).authenticate(ada.accessToken);
    await node.get(SessionsService).logout(principal);
    await node.rows(`UPDATE sessions SET revoked_reason = 'first' WHERE id = $1`, [sessionId(ada)]);
    await node.get(SessionsService).logout(principal);
    expect(await rowOf(ada)).toMatchObject({ revoked_reason: 'first' });
  });

  it('do not go on when they have expired by the clock of the database', async () => {
    const ada = await openSession(node);
    await node.rows(`UPDATE sessions SET expires_at = now() - interval '1 millisecond' WHERE id = $1`, [
      sessionId(ada),
    ]);
    await expect(node.get(SessionsService).refresh(ada.refreshToken, CLIENT)).rejects.toMatchObject({
      code: 'invalid_refresh_token',
    });
    await expect(node.get(Authenticator).authenticate(ada.accessToken)).rejects.toMatchObject({
      code: 'session_ended',
    });
    expect(await rowOf(ada)).toMatchObject({ revoked_reason: null, refresh_counter: 1 });
  });

  it('do not outlive their account', async () => {
    const ada = await openSession(node);
    await node.rows('DELETE FROM users WHERE id = $1', [ada.user.id]);
    await expect(node.get(SessionsService).refresh(ada.refreshToken, CLIENT)).rejects.toMatchObject({
      code: 'invalid_refresh_token',
    });
    await expect(node.get(Authenticator).authenticate(ada.accessToken)).rejects.toMatchObject({
      code: 'session_ended',
    });
  });

  it('are noted as used at most once a minute', async () => {
    const ada = await openSession(node);
    const used = async (secondsAgo: number): Promise<number | undefined> => {
      await node.rows(`UPDATE sessions SET last_seen_at = now() - $2 * interval '1 second' WHERE id = $1`, [
        sessionId(ada),
        secondsAgo,
      ]);
      await node.get(Authenticator).authenticate(ada.accessToken);
      await node.get(SessionActivityService).flush();
      return (await rowOf(ada))?.seen_ago;
    };
    expect(await used(3_600)).toBeLessThan(30);
    expect(await used(40)).toBeGreaterThanOrEqual(40);
  });
});
