import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { SessionEnd } from '../../src/contracts/sessions.js';
import { type Account, PASSWORD, signIn, NEW_PASSWORD } from './accounts.fixture.js';
import { type Answer, request } from './rest.js';
import type { Sql } from './sql.js';

/** The account whose session ends, and what the cases need to end it. */
export interface SessionEndContext {
  /** URL of the process that ends it. */
  readonly here: string;
  readonly sql: Sql;
  readonly admin: Account;
  readonly person: Account;
}

/** A session that can be ended now, by one request. */
export interface Prepared {
  end(): Promise<void>;
  /** The one that continues the session, where preparing it took the person's. */
  readonly refreshToken?: string;
}

export interface SessionEndCase {
  /** What its client is told. */
  readonly reason: SessionEnd;
  /** Everything is ready before the clock starts. */
  readonly prepare: (context: SessionEndContext) => Promise<Prepared>;
}

const ALLOWED_SESSIONS = 5;

/** Every way in which a session ends before its time. */
export const SESSION_END_CASES: Readonly<Record<string, SessionEndCase>> = {
  'logged out': ending('logout', ({ here, person }) => now(() => ask(here, 'POST', '/auth/logout', person))),
  'logged out everywhere': ending('logout_all', ({ here, person }) =>
    now(() => ask(here, 'POST', '/auth/logout-all', person)),
  ),
  'logged out elsewhere': ending('logout_others', async ({ here, person }) => {
    const other = await signIn(here, person.email);
    return now(() => ask(here, 'POST', '/auth/logout-others', other));
  }),
  revoked: ending('revoked', async ({ here, person }) => {
    const other = await signIn(here, person.email);
    const sessions = await request<{ items: { id: string; current: boolean }[] }>(
      here,
      'GET',
      '/api/v1/auth/sessions',
      {
        token: person.accessToken,
      },
    );
    const own = sessions.body.items.find(({ current }) => current);
    return now(() => ask(here, 'DELETE', `/auth/sessions/${own?.id ?? ''}`, other));
  }),
  'its refresh token reused': ending('token_reuse', async ({ here, person }) => {
    const { refreshToken } = await refreshed(here, (await refreshed(here, person.refreshToken)).refreshToken);
    return {
      refreshToken,
      end: async () => {
        const reuse = await refresh(here, person.refreshToken);
        accepted('reuse', { ...reuse, status: reuse.status === 401 ? 200 : 500 });
      },
    };
  }),
  'password changed': ending('password_changed', async ({ here, person }) => {
    const other = await signIn(here, person.email);
    const body = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    return now(() => ask(here, 'POST', '/auth/password', other, body));
  }),
  'password reset by link': ending('password_reset', async (context) => {
    const token = await mailed(context, 'password_reset');
    return now(() => ask(context.here, 'POST', '/auth/reset-password', null, { token, newPassword: NEW_PASSWORD }));
  }),
  'expired password replaced': ending('password_changed', async (context) => {
    const changeToken = await mailed(context, 'password_change');
    const body = { changeToken, newPassword: NEW_PASSWORD };
    return now(() => ask(context.here, 'POST', '/auth/complete-password-change', null, body));
  }),
  'password taken away': ending('password_reset', ({ here, admin, person }) =>
    now(() => ask(here, 'PATCH', `/users/${person.id}/reset-password`, admin, { means: 'link' })),
  ),
  'one-time password given': ending('password_reset', ({ here, admin, person }) =>
    now(() => ask(here, 'PATCH', `/users/${person.id}/reset-password`, admin, { means: 'one_time_password' })),
  ),
  blocked: ending('blocked', ({ here, admin, person }) =>
    now(() => ask(here, 'POST', `/users/${person.id}/block`, admin)),
  ),
  'role changed': ending('role_changed', ({ here, admin, person }) =>
    now(() => ask(here, 'PATCH', `/users/${person.id}/role`, admin, { role: 'ADMIN' })),
  ),
  'account deleted by its owner': ending('account_deleted', ({ here, person }) =>
    now(() => ask(here, 'DELETE', '/users/me', person, { password: PASSWORD })),
  ),
  'account deleted by an administrator': ending('account_deleted', ({ here, admin, person }) =>
    now(() => ask(here, 'DELETE', `/users/${person.id}`, admin)),
  ),
  'account deleted with others': ending('account_deleted', ({ here, admin, person }) =>
    now(() => ask(here, 'DELETE', '/users/bulk', admin, { ids: [person.id] })),
  ),
  evicted: ending('evicted', async ({ here, person }) => {
    for (let sessions = 1; sessions < ALLOWED_SESSIONS; sessions += 1) {
      await signIn(here, person.email);
    }
    return now(() => signIn(here, person.email));
  }),
};

function ending(reason: SessionEnd, prepare: SessionEndCase['prepare']): SessionEndCase {
  return { reason, prepare };
}

function now(work: () => Promise<unknown>): Promise<Prepared> {
  return Promise.resolve({
    end: async () => {
      await work();
    },
  });
}

async function ask(
  here: string,
  method: string,
  path: string,
  by: Pick<Account, 'accessToken'> | null,
  body?: unknown,
): Promise<void> {
  const answer = await request(here, method, `/api/v1${path}`, {
    ...(by ? { token: by.accessToken } : {}),
    ...(body === undefined ? {} : { body }),
    headers: { 'idempotency-key': randomUUID() },
  });
  accepted(path, answer);
}

function refresh(url: string, refreshToken: string): Promise<Answer<{ accessToken: string; refreshToken: string }>> {
  return request(url, 'POST', '/api/v1/auth/refresh', { body: { refreshToken } });
}

/** The tokens that a refresh at this process gives. */
export async function refreshed(
  url: string,
  refreshToken: string,
): Promise<{ accessToken: string; refreshToken: string }> {
  const answer = await refresh(url, refreshToken);
  accepted('refresh', answer);
  return answer.body;
}

/** A session that did not end shows nothing about how it ends. */
function accepted(what: string, { status, body }: Answer): void {
  if (status >= 300) {
    throw new Error(`Not done: ${what}: ${JSON.stringify(body)}`);
  }
}

/** The secret of a link, without the mail. */
async function mailed({ sql, person }: SessionEndContext, purpose: string): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await sql.rows(
    `INSERT INTO one_time_tokens (id, purpose, token_hash, user_id, expires_at)
     VALUES ($1, $2, $3, $4, now() + interval '1 hour')`,
    [randomUUID(), purpose, createHash('sha256').update(token).digest(), person.id],
  );
  return token;
}
