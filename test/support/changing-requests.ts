import { hash } from 'argon2';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  type OneTimePayloads,
  OneTimeTokensService,
  type TokenPurpose,
} from '../../src/features/auth/tokens/one-time-tokens.service.js';
import {
  type Account,
  createAccount,
  createAdmin,
  type InsertedAccount,
  insertAccount,
  NEW_PASSWORD,
  PASSWORD,
  uniqueEmail,
} from './accounts.fixture.js';
import { DEVICE_REQUESTS } from './changing-device-requests.js';
import { registerDevice } from './devices.fixture.js';
import { EXPORT_CHANGES, JOB_CHANGES } from './export-requests.js';
import { request } from './rest.js';
import { SHARING_CHANGES } from './sharing-requests.js';
import { NOTIFICATION_CHANGES } from './notification-requests.js';
import { WEBHOOK_CHANGES } from './webhook-requests.js';
import type { TestApp } from './test-app.js';
import type { Sql } from './sql.js';

/** A valid request that changes something, ready to be sent. */
export interface ChangingRequest {
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Prepares changing requests: each gets accounts, devices and organizations of its own. */
export class RequestFactory {
  private constructor(
    private readonly application: TestApp,
    private readonly sql: Sql,
    readonly admin: Account,
  ) {}

  static async start(application: TestApp, sql: Sql): Promise<RequestFactory> {
    return new RequestFactory(application, sql, await createAdmin(application));
  }

  /** Without a password, of which each takes two hashes. */
  account(): Promise<InsertedAccount> {
    return insertAccount(this.application);
  }

  /** A part of the application. */
  get<T>(type: abstract new (...args: never[]) => T): T {
    return this.application.get(type);
  }

  /** With a password and a refresh token. */
  registered(): Promise<Account> {
    return createAccount(this.application.url);
  }

  async create(who: InsertedAccount, path: string, body: unknown): Promise<string> {
    const answer = await request<{ id?: string; device?: { id: string } }>(
      this.application.url,
      'POST',
      `/api/v1${path}`,
      {
        token: who.accessToken,
        body,
        headers: { 'idempotency-key': randomUUID() },
      },
    );
    const id = answer.body.id ?? answer.body.device?.id;
    if (id === undefined) {
      throw new Error(`${path} made nothing: ${JSON.stringify(answer.body)}`);
    }
    return id;
  }

  /** Reads or changes the database past the application. */
  rows<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return this.sql.rows<Row>(text, [...values]);
  }

  async device(): Promise<{ owner: InsertedAccount; id: string }> {
    const owner = await this.account();
    return { owner, id: (await registerDevice(this.application.url, owner)).id };
  }

  async organization(): Promise<{ owner: InsertedAccount; member: InsertedAccount; path: string; id: string }> {
    const [owner, member] = await Promise.all([this.account(), this.account()]);
    const id = await this.create(owner, '/organizations', { name: 'Lighthouse' });
    await this.sql.rows(`INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'OPERATOR')`, [
      id,
      member.id,
    ]);
    return { owner, member, id, path: `/organizations/${id}` };
  }

  /** An invitation whose token is known, though it was mailed. */
  async invitation(): Promise<{ owner: InsertedAccount; path: string; guest: InsertedAccount; token: string }> {
    const { owner, path } = await this.organization();
    const guest = await this.account();
    const id = await this.create(owner, `${path}/invitations`, { email: guest.email, role: 'VIEWER' });
    const token = randomBytes(32).toString('base64url');
    const hash = createHash('sha256').update(token).digest();
    await this.sql.rows('UPDATE invitations SET token_hash = $2 WHERE id = $1', [id, hash]);
    return { owner, guest, token, path: `${path}/invitations/${id}` };
  }

  /** A secret as a mail would bring it. */
  token<P extends TokenPurpose>(purpose: P, userId: string | null, payload: OneTimePayloads[P]): Promise<string> {
    const tokens = this.application.get(OneTimeTokensService);
    return tokens.issue(purpose, { userId, payload, ttlMs: 60_000 });
  }

  async sessionOf(person: Pick<InsertedAccount, 'id'>): Promise<string> {
    const [row] = await this.sql.rows<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1 LIMIT 1', [
      person.id,
    ]);
    return row?.id ?? '';
  }

  async execute(text: string, values: readonly unknown[]): Promise<void> {
    await this.sql.rows(text, values);
  }
}

const by = (person: Pick<InsertedAccount, 'accessToken'>, path: string, body?: unknown): ChangingRequest => ({
  path,
  token: person.accessToken,
  ...(body === undefined ? {} : { body }),
});

/** One request for every route that changes something: a new route without one fails the tests that walk the routes. */
export const CHANGING_REQUESTS: Readonly<Record<string, (factory: RequestFactory) => Promise<ChangingRequest>>> = {
  'POST /auth/register': () =>
    Promise.resolve({ path: '/auth/register', body: { email: uniqueEmail(), password: PASSWORD } }),
  'POST /auth/register/confirm': async (w) => {
    const account = { email: uniqueEmail(), username: null, displayName: 'New', passwordHash: await hash(PASSWORD) };
    const token = await w.token('registration', null, { account });
    return { path: '/auth/register/confirm', body: { token, password: PASSWORD } };
  },
  'POST /auth/login': async (w) => ({
    path: '/auth/login',
    body: { identifier: (await w.registered()).email, password: PASSWORD },
  }),
  'POST /auth/refresh': async (w) => ({
    path: '/auth/refresh',
    body: { refreshToken: (await w.registered()).refreshToken },
  }),
  'POST /auth/logout': async (w) => by(await w.account(), '/auth/logout'),
  'POST /auth/logout-all': async (w) => by(await w.account(), '/auth/logout-all'),
  'POST /auth/logout-others': async (w) => by(await w.account(), '/auth/logout-others'),
  'DELETE /auth/sessions/:sessionId': async (w) => {
    const person = await w.account();
    return by(person, `/auth/sessions/${await w.sessionOf(person)}`);
  },
  'POST /auth/password': async (w) =>
    by(await w.registered(), '/auth/password', { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }),
  'POST /auth/forgot-password': async (w) => ({
    path: '/auth/forgot-password',
    body: { identifier: (await w.registered()).email },
  }),
  'POST /auth/reset-password': async (w) => {
    const token = await w.token('password_reset', (await w.registered()).id, {});
    return { path: '/auth/reset-password', body: { token, newPassword: NEW_PASSWORD } };
  },
  'POST /auth/complete-password-change': async (w) => {
    const changeToken = await w.token('password_change', (await w.registered()).id, {});
    return { path: '/auth/complete-password-change', body: { changeToken, newPassword: NEW_PASSWORD } };
  },
  'POST /auth/unlock/confirm': async (w) => {
    const token = await w.token('unlock_confirmation', (await w.registered()).id, {});
    return { path: '/auth/unlock/confirm', body: { token } };
  },
  'POST /auth/email/confirm': async (w) => {
    const token = await w.token('email_change', (await w.account()).id, { email: uniqueEmail() });
    return { path: '/auth/email/confirm', body: { token } };
  },
  'POST /auth/signing-keys/rotate': (w) => Promise.resolve(by(w.admin, '/auth/signing-keys/rotate')),
  'POST /auth/signing-keys/:kid/retire': async (w) => {
    const kid = randomBytes(32).toString('base64url');
    await w.execute(
      `INSERT INTO signing_keys (kid, purpose, algorithm, public_jwk, sealed_private, state)
       SELECT $1, purpose, algorithm, public_jwk, sealed_private, 'passive' FROM signing_keys
       WHERE purpose = 'access_token' AND state = 'active'`,
      [kid],
    );
    return by(w.admin, `/auth/signing-keys/${kid}/retire`);
  },
  'DELETE /auth/blocked-addresses/:address': async (w) => {
    await w.execute(
      `INSERT INTO blocked_addresses (address, reason, blocked_until) VALUES ('203.0.113.9', 'test', now() + interval '1 hour')
       ON CONFLICT DO NOTHING`,
      [],
    );
    return by(w.admin, '/auth/blocked-addresses/203.0.113.9');
  },

  'PATCH /users/me': async (w) => by(await w.account(), '/users/me', { displayName: 'Ada' }),
  'PATCH /users/me/preferences': async (w) => by(await w.account(), '/users/me/preferences', { theme: 'dark' }),
  'POST /users/me/email': async (w) =>
    by(await w.registered(), '/users/me/email', { email: uniqueEmail(), password: PASSWORD }),
  'DELETE /users/me': async (w) => by(await w.registered(), '/users/me', { password: PASSWORD }),
  'POST /users': (w) => Promise.resolve(by(w.admin, '/users', { email: uniqueEmail() })),
  'PATCH /users/:userId': async (w) => by(w.admin, `/users/${(await w.account()).id}`, { displayName: 'Ada' }),
  'PATCH /users/:userId/role': async (w) => by(w.admin, `/users/${(await w.account()).id}/role`, { role: 'ADMIN' }),
  'PATCH /users/:userId/reset-password': async (w) =>
    by(w.admin, `/users/${(await w.account()).id}/reset-password`, { means: 'link' }),
  'POST /users/:userId/block': async (w) => by(w.admin, `/users/${(await w.account()).id}/block`),
  'POST /users/:userId/unblock': async (w) => {
    const { id } = await w.account();
    await w.execute('UPDATE users SET blocked_at = now() WHERE id = $1', [id]);
    return by(w.admin, `/users/${id}/unblock`);
  },
  'DELETE /users/:userId': async (w) => by(w.admin, `/users/${(await w.account()).id}`),
  'POST /users/:userId/restore': async (w) => {
    const { id } = await w.account();
    await w.execute('UPDATE users SET deleted_at = now() WHERE id = $1', [id]);
    return by(w.admin, `/users/${id}/restore`);
  },
  'POST /users/bulk': (w) => Promise.resolve(by(w.admin, '/users/bulk', { users: [{ email: uniqueEmail() }] })),
  'DELETE /users/bulk': async (w) => by(w.admin, '/users/bulk', { ids: [(await w.account()).id] }),
  'POST /users/import': (w) => Promise.resolve(by(w.admin, '/users/import', { users: [{ email: uniqueEmail() }] })),

  'POST /organizations': async (w) => by(await w.account(), '/organizations', { name: 'Lighthouse' }),
  'PATCH /organizations/:organizationId': async (w) => {
    const { owner, path } = await w.organization();
    return by(owner, path, { name: 'Beacon' });
  },
  'DELETE /organizations/:organizationId': async (w) => {
    const { owner, path } = await w.organization();
    return by(owner, path);
  },
  'PATCH /organizations/:organizationId/members/:userId': async (w) => {
    const { owner, member, path } = await w.organization();
    return by(owner, `${path}/members/${member.id}`, { role: 'VIEWER' });
  },
  'DELETE /organizations/:organizationId/members/:userId': async (w) => {
    const { owner, member, path } = await w.organization();
    return by(owner, `${path}/members/${member.id}`);
  },
  'POST /organizations/:organizationId/leave': async (w) => {
    const { member, path } = await w.organization();
    return by(member, `${path}/leave`);
  },
  'POST /organizations/:organizationId/transfer': async (w) => {
    const { owner, member, path } = await w.organization();
    return by(owner, `${path}/transfer`, { userId: member.id });
  },
  'POST /organizations/:organizationId/invitations': async (w) => {
    const { owner, path } = await w.organization();
    return by(owner, `${path}/invitations`, { email: uniqueEmail(), role: 'VIEWER' });
  },
  'DELETE /organizations/:organizationId/invitations/:invitationId': async (w) => {
    const { owner, path } = await w.invitation();
    return by(owner, path);
  },
  'POST /organizations/invitations/accept': async (w) => {
    const { guest, token } = await w.invitation();
    return by(guest, '/organizations/invitations/accept', { token });
  },

  ...DEVICE_REQUESTS,
  'POST /devices': async (w) => by(await w.account(), '/devices', { name: 'Door', hardwareId: randomUUID() }),
  'PATCH /devices/:deviceId': async (w) => {
    const { owner, id } = await w.device();
    return by(owner, `/devices/${id}`, { name: 'Side door' });
  },
  'DELETE /devices/:deviceId': async (w) => {
    const { owner, id } = await w.device();
    return by(owner, `/devices/${id}`);
  },
  'PATCH /devices/:deviceId/settings': async (w) => {
    const { owner, id } = await w.device();
    return by(owner, `/devices/${id}/settings`, { settings: { autoLockTimeoutMs: 5_000 } });
  },
  'POST /devices/:deviceId/commands': async (w) => {
    const { owner, id } = await w.device();
    return by(owner, `/devices/${id}/commands`, { name: 'lock_door' });
  },
  'DELETE /devices/:deviceId/commands/:commandId': async (w) => {
    const { owner, id } = await w.device();
    return by(
      owner,
      `/devices/${id}/commands/${await w.create(owner, `/devices/${id}/commands`, { name: 'lock_door' })}`,
    );
  },
  ...SHARING_CHANGES,
  ...EXPORT_CHANGES,
  ...NOTIFICATION_CHANGES,
  ...WEBHOOK_CHANGES,
  ...JOB_CHANGES,
};
