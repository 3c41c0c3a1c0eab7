import { type Account, createAccount, createAdmin, uniqueEmail } from './accounts.fixture.js';
import { type Answer, request } from './rest.js';
import { TestApp } from './test-app.js';
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
export interface BulkAnswer {
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

/** The API with one administrator and one account without that role. */
export class UserAdminFixture {
  private constructor(
    readonly application: TestApp,
    readonly sql: Sql,
    /** The only administrator. */
    readonly root: Account,
    readonly ada: Account,
  ) {}

  static async start(): Promise<UserAdminFixture> {
    const application = await TestApp.start({ env: { ROLES: 'api' } });
    const root = await createAdmin(application, 'root');
    const ada = await createAccount(application.url, 'ada');
    return new UserAdminFixture(application, await Sql.open(application.databaseUrl), root, ada);
  }

  async stop(): Promise<void> {
    await this.sql.end();
    await this.application.stop();
  }

  request<T = ManagedUser>(
    who: Pick<Account, 'accessToken'>,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    return request<T>(this.application.url, method, `/api/v1${path}`, { token: who.accessToken, body, headers });
  }

  /** Creates an account as the administrator. @returns its id. */
  async createUser(fields: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.request(this.root, 'POST', '/users', {
      email: uniqueEmail('invited'),
      ...fields,
    });
    if (status !== 201) {
      throw new Error(`Making an account failed: ${JSON.stringify(body)}`);
    }
    return body.id;
  }
}
