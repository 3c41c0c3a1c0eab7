import { randomUUID } from 'node:crypto';
import { UsersService } from '../../src/features/users/users.service.js';
import type { User } from '../../src/features/users/users.types.js';
import { TestApp, type TestAppOptions } from './test-app.js';
import { MailServer, tokenIn } from './mail-server.js';
import { type Answer, request } from './rest.js';
import { Sql } from './sql.js';
import { PASSWORD } from './accounts.fixture.js';

type Body = Record<string, unknown>;

/** The application with a real SMTP server, and with clients whose `X-Forwarded-For` it trusts. */
export class AuthFixture {
  private constructor(
    readonly application: TestApp,
    readonly mails: MailServer,
    readonly sql: Sql,
  ) {}

  static async start(env: TestAppOptions['env'] = {}): Promise<AuthFixture> {
    const mails = await MailServer.start();
    const application = await TestApp.start({
      env: { SMTP_URL: mails.url, TRUSTED_PROXIES: '127.0.0.1/32', ROLES: 'api,worker', ...env },
    });
    return new AuthFixture(application, mails, await Sql.open(application.databaseUrl));
  }

  async stop(): Promise<void> {
    await this.sql.end();
    await this.application.stop();
    await this.mails.stop();
  }

  get<T>(type: new (...args: never[]) => T): T {
    return this.application.get(type);
  }

  /** A new account, whatever `REGISTRATION` says. */
  createUser({ username, role = 'USER' }: { username?: string; role?: User['role'] } = {}): Promise<User> {
    return this.get(UsersService).create({
      email: `${randomUUID()}@example.com`,
      password: PASSWORD,
      role,
      ...(username === undefined ? {} : { username }),
    });
  }

  post<T = Body>(
    path: string,
    body: Body,
    options: { token?: string; from?: string; web?: string } = {},
  ): Promise<Answer<T>> {
    return this.request('POST', path, body, options);
  }

  /** @param from the client's IP address. @param web makes it a web client with these cookies. */
  request<T = Body>(
    method: string,
    path: string,
    body: Body,
    { token, from, web }: { token?: string; from?: string; web?: string } = {},
  ): Promise<Answer<T>> {
    return request<T>(this.application.url, method, `/api/v1${path}`, {
      body,
      ...(token === undefined ? {} : { token }),
      headers: {
        ...(from === undefined ? {} : { 'x-forwarded-for': from }),
        ...(web === undefined ? {} : { 'x-client-type': 'web', cookie: web }),
      },
    });
  }

  login(identifier: string, password = PASSWORD, more: Body & { from?: string } = {}): Promise<Answer<LoginAnswer>> {
    const { from, ...body } = more;
    return this.post<LoginAnswer>('/auth/login', { identifier, password, ...body }, from === undefined ? {} : { from });
  }

  /** A new account with a session. */
  async signedIn(wish: { role?: User['role']; username?: string } = {}): Promise<SignedInUser> {
    const { id, email } = await this.createUser(wish);
    const { accessToken: token, refreshToken, knownDevice } = (await this.login(email)).body;
    return { id, email, token, refreshToken, knownDevice };
  }

  /** Asks for another e-mail address. @returns the token that was mailed to it. */
  async askForEmail(token: string, email: string): Promise<string> {
    const { status } = await this.post('/users/me/email', { email, password: PASSWORD }, { token });
    if (status !== 202) {
      throw new Error(`Asked for another e-mail address, and got ${String(status)}.`);
    }
    return tokenIn(await this.mails.nextTo(email));
  }

  confirmEmail(token: string): Promise<Answer> {
    return this.post('/auth/email/confirm', { token });
  }

  /** Whether the session of this login can still be refreshed. */
  async isLive({ body }: Answer<LoginAnswer>): Promise<boolean> {
    return (await this.post('/auth/refresh', { refreshToken: body.refreshToken })).status === 200;
  }

  async accountRow(userId: string): Promise<AccountRow> {
    const [row] = await this.sql.rows<AccountRow & object>(
      `SELECT failed_attempts AS "failedAttempts", login_count AS "loginCount", last_login_at AS "lastLoginAt",
              password_hash AS "passwordHash" FROM users WHERE id = $1`,
      [userId],
    );
    if (!row) {
      throw new Error('No such account.');
    }
    return row;
  }

  /** Audit entries as `outcome code`, oldest first. */
  async auditOutcomes(action: string, entityId?: string): Promise<string[]> {
    const rows = await this.sql.rows<{ shown: string }>(
      `SELECT concat_ws(' ', outcome, code) AS shown FROM audit_entries
       WHERE action = $1 AND ($2::text IS NULL OR entity_id = $2) ORDER BY id`,
      [action, entityId ?? null],
    );
    return rows.map(({ shown }) => shown);
  }
}

export interface SignedInUser {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly knownDevice: string;
}

export interface LoginAnswer {
  readonly code: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly knownDevice: string;
  readonly changeToken: string;
}

/** `401 invalid_credentials`, or the status alone. */
export function statusAndCode({ status, body }: Answer<unknown>): string {
  return [status, (body as { code?: string } | undefined)?.code].join(' ').trim();
}

interface AccountRow {
  readonly failedAttempts: number;
  readonly loginCount: number;
  readonly lastLoginAt: Date | null;
  readonly passwordHash: string;
}

/** One IP address for each number. */
export function ipOf(number: number): string {
  return `10.${String((number >> 16) & 255)}.${String((number >> 8) & 255)}.${String(number & 255)}`;
}
