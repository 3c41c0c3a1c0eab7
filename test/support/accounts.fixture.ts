import { randomBytes, randomUUID } from 'node:crypto';
import { LoginService } from '../../src/features/auth/login/login.service.js';
import type { SignedIn } from '../../src/features/auth/auth.types.js';
import { RegistrationService } from '../../src/features/auth/registration/registration.service.js';
import type { NewUser, User } from '../../src/features/users/users.types.js';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import type { PlatformRole } from '../../src/platform/auth/principal.js';
import { request } from './rest.js';
import type { TestApp } from './test-app.js';

/** The password of every account that tests make. */
export const PASSWORD = 'tangerine harbour plumage';
/** What tests change it to. */
export const NEW_PASSWORD = 'quiet lantern meadow 12';

/** Where {@link openSession} signs in from, and what with. */
export const CLIENT = { ip: '192.0.2.7', userAgent: 'jest' };

/** An account that was registered through the API, signed in. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** An account without a password, with a session. */
export interface InsertedAccount {
  readonly id: string;
  readonly email: string;
  readonly sessionId: string;
  readonly accessToken: string;
}

export function uniqueEmail(name = 'person'): string {
  return `${name}-${randomUUID()}@example.com`;
}

/** Registers an account through the API and signs it in. Takes two password hashes; {@link insertAccount} takes none. */
export async function createAccount(base: string, name?: string): Promise<Account> {
  const email = uniqueEmail(name);
  const registered = await request<{ id: string }>(base, 'POST', '/api/v1/auth/register', {
    body: { email, password: PASSWORD },
  });
  if (registered.status !== 201) {
    throw new Error(`Registering failed: ${JSON.stringify(registered.body)}`);
  }
  return { ...(await signIn(base, email)), id: registered.body.id, email, password: PASSWORD };
}

/** A new administrator, signed in: the role is set in the database, as `npm run admin:create` does. */
export async function createAdmin(app: TestApp, name = 'admin'): Promise<Account> {
  const account = await createAccount(app.url, name);
  await app.rows(`UPDATE users SET role = 'ADMIN' WHERE id = $1`, [account.id]);
  return { ...account, ...(await signIn(app.url, account.email)) };
}

export async function signIn(
  base: string,
  identifier: string,
  password = PASSWORD,
): Promise<{ accessToken: string; refreshToken: string }> {
  const { status, body } = await request<{ accessToken: string; refreshToken: string }>(
    base,
    'POST',
    '/api/v1/auth/login',
    { body: { identifier, password } },
  );
  if (status !== 200) {
    throw new Error(`Signing in failed: ${JSON.stringify(body)}`);
  }
  return body;
}

/** An account and its session written straight to the database, for tests that need many: no password is hashed. */
export async function insertAccount(
  app: TestApp,
  { name, role = 'USER' }: { readonly name?: string; readonly role?: PlatformRole } = {},
): Promise<InsertedAccount> {
  const account = { id: randomUUID(), email: uniqueEmail(name), sessionId: randomUUID() };
  await app.rows('INSERT INTO users (id, email, display_name, role, updated_at) VALUES ($1, $2, $3, $4, now())', [
    account.id,
    account.email,
    name ?? 'person',
    role,
  ]);
  await app.rows(
    `INSERT INTO sessions (id, user_id, refresh_hash, expires_at) VALUES ($1, $2, $3, now() + interval '1 hour')`,
    [account.sessionId, account.id, randomBytes(32)],
  );
  const { token } = await app.get(AccessTokenFactory).sign({ userId: account.id, sessionId: account.sessionId, role });
  return { ...account, accessToken: token };
}

/** Registers by the application's service, past HTTP. @throws what registering with `REGISTRATION=open` throws. */
export async function registerUser(app: TestApp, account: Omit<NewUser, 'role'>): Promise<User> {
  const user = await app.get(RegistrationService).register(account);
  if (!user) {
    throw new Error('This application does not let people register.');
  }
  return user;
}

/** A new account with its first session, by the application's services, past HTTP. */
export async function openSession(app: TestApp): Promise<SignedIn> {
  const email = uniqueEmail();
  await registerUser(app, { email, password: PASSWORD });
  return app.get(LoginService).login({ identifier: email, password: PASSWORD }, CLIENT);
}
