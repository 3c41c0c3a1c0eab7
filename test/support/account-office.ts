import { randomUUID } from 'node:crypto';
import { signUpAdmin } from './admin.js';
import { type RunningApplication, startApplication } from './application.js';
import { type Answer, type Person, request, signUp } from './rest.js';
import { Sql } from './sql.js';

/** An account as administrators see it. */
export interface ManagedUser extends Record<string, unknown> {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly status: string;
  readonly role: string;
  readonly version: number;
}
export interface ManagedUserPage {
  readonly items: ManagedUser[];
  readonly nextCursor: string | null;
}
export interface Batch {
  readonly done: number;
  readonly refused: number;
  readonly results: {
    index: number;
    status: string;
    id: string | null;
    code: string | null;
    errors: { pointer: string }[];
  }[];
}

/** An address that nobody has. */
export const fresh = (name: string): string => `${name}-${randomUUID().slice(0, 8)}@example.com`;

/** The API with somebody who manages accounts, and somebody who does not. */
export class AccountOffice {
  private constructor(
    readonly application: RunningApplication,
    readonly sql: Sql,
    /** The only administrator. */
    readonly root: Person,
    readonly ada: Person,
  ) {}

  static async open(): Promise<AccountOffice> {
    const application = await startApplication({ env: { ROLES: 'api' } });
    const root = await signUpAdmin(application, 'root');
    const ada = await signUp(application.url, 'ada');
    return new AccountOffice(application, await Sql.open(application.databaseUrl), root, ada);
  }

  async close(): Promise<void> {
    await this.sql.end();
    await this.application.stop();
  }

  ask<T = ManagedUser>(
    who: Person,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    return request<T>(this.application.url, method, `/api/v1${path}`, { token: who.accessToken, body, headers });
  }

  /** An account that the administrator made. @returns its id. */
  async invited(fields: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.ask(this.root, 'POST', '/users', { email: fresh('invited'), ...fields });
    if (status !== 201) {
      throw new Error(`Making an account failed: ${JSON.stringify(body)}`);
    }
    return body.id;
  }
}
