import { randomUUID } from 'node:crypto';
import type { OrganizationRole } from '../../src/contracts/resources.js';
import { TestApp } from './test-app.js';
import { insertAccount, type InsertedAccount } from './accounts.fixture.js';
import { type Answer, request } from './rest.js';
import { Sql } from './sql.js';

export interface OrganizationBody {
  readonly id: string;
  readonly name: string;
  readonly role: OrganizationRole;
  readonly version: number;
}
export interface PageBody<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}
export type AnswerOrProblem<T = Record<string, unknown>> = Answer<T & { code?: string }>;

/** The application with accounts, organizations and devices. */
export class OrganizationsFixture {
  protected constructor(
    readonly application: TestApp,
    readonly sql: Sql,
  ) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<OrganizationsFixture> {
    const application = await TestApp.start({ env: { RATE_LIMIT_SCALE: '1000', ...env } });
    return new OrganizationsFixture(application, await Sql.open(application.databaseUrl));
  }

  /** On an application that runs already. */
  static on(application: TestApp, sql: Sql): OrganizationsFixture {
    return new OrganizationsFixture(application, sql);
  }

  async stop(): Promise<void> {
    await this.sql.end();
    await this.application.stop();
  }

  createAccount(name: string): Promise<InsertedAccount> {
    return insertAccount(this.application, { name });
  }

  request<T = Record<string, unknown>>(
    who: InsertedAccount,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<AnswerOrProblem<T>> {
    return request(this.application.url, method, `/api/v1${path}`, { token: who.accessToken, body, headers });
  }

  /** All pages of a list. */
  async readAllPages<T>(who: InsertedAccount, list: string): Promise<T[]> {
    const { body } = await this.request<PageBody<T>>(who, 'GET', list);
    const base = list.replace(/&cursor=.*/, '');
    return body.nextCursor === null
      ? body.items
      : [...body.items, ...(await this.readAllPages<T>(who, `${base}&cursor=${body.nextCursor}`))];
  }

  async createOrganization(who: InsertedAccount, name = 'House'): Promise<OrganizationBody> {
    const { status, body } = await this.request<OrganizationBody>(who, 'POST', '/organizations', { name });
    if (status !== 201) {
      throw new Error(`Making an organization failed: ${JSON.stringify(body)}`);
    }
    return body;
  }

  async addMember(who: InsertedAccount, role: OrganizationRole, organizationId: string): Promise<InsertedAccount> {
    await this.sql.rows(
      'INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3::organization_role)',
      [organizationId, who.id, role],
    );
    return who;
  }

  /** An invitation whose token is known, though none was mailed; a person has one at a time. */
  async insertInvitation(
    organizationId: string,
    guest: InsertedAccount,
    { sender, role = 'VIEWER' }: { readonly sender: InsertedAccount; readonly role?: OrganizationRole },
  ): Promise<void> {
    await this.sql.rows(
      `INSERT INTO invitations (id, organization_id, email, role, invited_by, token_hash, expires_at)
       VALUES (gen_random_uuid(), $1, $2, $3::organization_role, $4, sha256($5), now() + interval '1 day')`,
      [organizationId, guest.email, role, sender.id, Buffer.from(tokenOf(guest))],
    );
  }

  /** Accepts what {@link insertInvitation} made. */
  accept(guest: InsertedAccount): Promise<AnswerOrProblem> {
    return this.request(guest, 'POST', '/organizations/invitations/accept', { token: tokenOf(guest) });
  }

  /** A new device with its token. */
  async registerDevice(owner: InsertedAccount): Promise<{ id: string; token: string }> {
    const { body } = await this.request<{ device: { id: string }; deviceToken: string }>(owner, 'POST', '/devices', {
      name: 'Front door',
      hardwareId: randomUUID(),
    });
    return { id: body.device.id, token: body.deviceToken };
  }
}

function tokenOf({ id }: InsertedAccount): string {
  return id.replaceAll('-', '').padEnd(43, 'A');
}
