import { randomUUID } from 'node:crypto';
import type { OrganizationRole } from '../../src/contracts/resources.js';
import { type RunningApplication, startApplication } from './application.js';
import { type Newcomer, newcomer } from './newcomers.js';
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
export type Refusable<T = Record<string, unknown>> = Answer<T & { code?: string }>;

/** The application with people in it who form organizations and register devices. */
export class Neighbourhood {
  private constructor(
    readonly application: RunningApplication,
    readonly sql: Sql,
  ) {}

  static async open(env: Readonly<Record<string, string>> = {}): Promise<Neighbourhood> {
    const application = await startApplication({ env: { RATE_LIMIT_SCALE: '1000', ...env } });
    return new Neighbourhood(application, await Sql.open(application.databaseUrl));
  }

  async close(): Promise<void> {
    await this.sql.end();
    await this.application.stop();
  }

  person(name: string): Promise<Newcomer> {
    return newcomer(this.application.app, this.sql, { name });
  }

  ask<T = Record<string, unknown>>(
    who: Newcomer,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Refusable<T>> {
    return request(this.application.url, method, `/api/v1${path}`, { token: who.accessToken, body, headers });
  }

  /** All pages of a list. */
  async walk<T>(who: Newcomer, list: string): Promise<T[]> {
    const { body } = await this.ask<PageBody<T>>(who, 'GET', list);
    const base = list.replace(/&cursor=.*/, '');
    return body.nextCursor === null
      ? body.items
      : [...body.items, ...(await this.walk<T>(who, `${base}&cursor=${body.nextCursor}`))];
  }

  async found(who: Newcomer, name = 'House'): Promise<OrganizationBody> {
    const { status, body } = await this.ask<OrganizationBody>(who, 'POST', '/organizations', { name });
    if (status !== 201) {
      throw new Error(`Making an organization failed: ${JSON.stringify(body)}`);
    }
    return body;
  }

  async enlist(who: Newcomer, role: OrganizationRole, organizationId: string): Promise<Newcomer> {
    await this.sql.rows(
      'INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3::organization_role)',
      [organizationId, who.id, role],
    );
    return who;
  }

  /** A new device; its token where it matters. */
  async registered(owner: Newcomer): Promise<{ id: string; token: string }> {
    const { body } = await this.ask<{ device: { id: string }; deviceToken: string }>(owner, 'POST', '/devices', {
      name: 'Front door',
      hardwareId: randomUUID(),
    });
    return { id: body.device.id, token: body.deviceToken };
  }
}
