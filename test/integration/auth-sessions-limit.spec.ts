import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { SignedIn } from '../../src/features/auth/auth.types.js';
import { type OpenSession, SessionsService } from '../../src/features/auth/sessions/sessions.service.js';
import { LoginService } from '../../src/features/auth/login/login.service.js';
import { Authenticator } from '../../src/platform/auth/authenticator.js';
import { CLIENT, openSession, PASSWORD } from '../support/accounts.fixture.js';
import { TestApp } from '../support/test-app.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';

const LIMIT = 3;

interface SessionRow {
  readonly id: string;
  readonly live: boolean;
  readonly revoked_reason: string | null;
}

describe(`a person who may have ${String(LIMIT)} sessions`, () => {
  let database: TestDatabase;
  let nodes: readonly [TestApp, TestApp];
  let ada: SignedIn;

  beforeAll(async () => {
    database = await createTestDatabase();
    const env = {
      ROLES: 'api',
      DATABASE_URL: database.url,
      REDIS_URL: await emptyRedis(),
      MAX_SESSIONS_PER_USER: String(LIMIT),
    };
    nodes = await Promise.all([TestApp.start({ env }), TestApp.start({ env })]);
  });

  beforeEach(async () => {
    ada = await openSession(nodes[0]);
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  });

  const sessionId = ({ accessToken }: { accessToken: string }): string => decodeJwt<{ sid: string }>(accessToken).sid;

  const signIn = (node = nodes[0], rememberMe = false): Promise<SignedIn> =>
    node.get(LoginService).login({ identifier: ada.user.email, password: PASSWORD, rememberMe }, CLIENT);

  /** The oldest first. */
  const sessions = (): Promise<SessionRow[]> =>
    nodes[0].rows<SessionRow>(
      `SELECT id, revoked_at IS NULL AND expires_at > now() AS live, revoked_reason FROM sessions
       WHERE user_id = $1 ORDER BY created_at`,
      [ada.user.id],
    );

  const auditedFor = (action: string): Promise<{ entity_id: string; actor: string; after: object | null }[]> =>
    nodes[0].rows(`SELECT entity_id, actor, after FROM audit_entries WHERE action = $1 AND actor = $2 ORDER BY id`, [
      action,
      `user:${ada.user.id}`,
    ]);

  it('loses the oldest with the next login, which is answered with the reason and audited', async () => {
    const others = [await signIn(), await signIn()];
    const newest = await signIn(nodes[1]);
    await expect(nodes[0].get(SessionsService).refresh(ada.refreshToken, CLIENT)).rejects.toMatchObject({
      code: 'session_evicted',
      kind: 'unauthenticated',
    });
    await expect(nodes[1].get(Authenticator).authenticate(ada.accessToken)).rejects.toMatchObject({
      code: 'session_evicted',
      members: { reason: 'evicted' },
    });
    for (const session of [...others, newest]) {
      await expect(nodes[0].get(SessionsService).refresh(session.refreshToken, CLIENT)).resolves.toBeDefined();
    }
    expect((await sessions()).map(({ live, revoked_reason }) => [live, revoked_reason])).toEqual([
      [false, 'evicted'],
      [true, null],
      [true, null],
      [true, null],
    ]);
    expect(await auditedFor('session_evicted')).toEqual([
      { entity_id: sessionId(ada), actor: `user:${ada.user.id}`, after: { by: sessionId(newest) } },
    ]);
    expect((await auditedFor('login')).map(({ entity_id }) => entity_id)).toEqual(
      [ada, ...others, newest].map(sessionId),
    );
  });

  it('never has more, however many logins race through two processes, and the last ones win', async () => {
    const open = (index: number): Promise<OpenSession> =>
      nodes[index % 2 === 0 ? 0 : 1].get(SessionsService).open(ada.user, { ...CLIENT, knownDevice: 'k' });
    const logins = await Promise.all(Array.from({ length: 12 }, (_, index) => open(index)));
    expect(logins).toHaveLength(12);
    const rows = await sessions();
    expect(rows.map(({ live }) => live)).toEqual([...Array<boolean>(10).fill(false), true, true, true]);
    expect(rows.filter(({ revoked_reason }) => revoked_reason === 'evicted')).toHaveLength(10);
  });

  it('does not lose a session to one that is over anyway', async () => {
    await nodes[0].rows(`UPDATE sessions SET expires_at = now() WHERE id = $1`, [sessionId(ada)]);
    await Promise.all([signIn(), signIn(), signIn()]);
    expect((await sessions()).map(({ revoked_reason }) => revoked_reason)).toEqual([null, null, null, null]);
  });

  it('may be remembered: for thirty days from each refresh instead of seven', async () => {
    const remembered = await signIn(nodes[0], true);
    const renewed = await nodes[1].get(SessionsService).refresh(remembered.refreshToken, CLIENT);
    const repeated = await nodes[1].get(SessionsService).refresh(remembered.refreshToken, CLIENT);
    const lifetimes = [ada, remembered, renewed, repeated].map((tokens) => tokens.refreshExpiresInSeconds / 86_400);
    expect(lifetimes).toEqual([7, 30, 30, 30]);
    const [row] = await nodes[0].rows<{ days: number }>(
      `SELECT extract(epoch FROM expires_at - now())::float8 / 86400 AS days FROM sessions WHERE id = $1`,
      [sessionId(remembered)],
    );
    expect(row?.days).toBeCloseTo(30, 1);
  });

  it('cannot sign in between a block and the end of the sessions it ends', async () => {
    const racing = nodes[0].get(SessionsService);
    await nodes[0].rows(`UPDATE users SET blocked_at = now() WHERE id = $1`, [ada.user.id]);
    await expect(racing.open(ada.user, { ...CLIENT, knownDevice: 'k' })).rejects.toMatchObject({
      code: 'invalid_credentials',
    });
    await expect(nodes[0].get(SessionsService).refresh(ada.refreshToken, CLIENT)).rejects.toMatchObject({
      code: 'invalid_refresh_token',
    });
    expect(await racing.revokeAllOf(ada.user.id, { reason: 'blocked' })).toBe(1);
    expect(await sessions()).toMatchObject([{ live: false, revoked_reason: 'blocked' }]);
  });

  it('has the reuse of a token in the audit trail, although the request that showed it failed', async () => {
    const second = await nodes[0].get(SessionsService).refresh(ada.refreshToken, CLIENT);
    await nodes[0].get(SessionsService).refresh(second.refreshToken, CLIENT);
    await expect(nodes[1].get(SessionsService).refresh(ada.refreshToken, CLIENT)).rejects.toMatchObject({
      code: 'token_reused',
    });
    const [entry] = await nodes[0].rows<{ entity_id: string; outcome: string }>(
      `SELECT entity_id, outcome FROM audit_entries WHERE action = 'token_reuse_detected' AND entity_id = $1`,
      [sessionId(ada)],
    );
    expect(entry).toEqual({ entity_id: sessionId(ada), outcome: 'success' });
    expect((await auditedFor('session_refreshed')).map(({ entity_id }) => entity_id)).toEqual([
      sessionId(ada),
      sessionId(ada),
    ]);
  });
});
