import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { OrganizationRole } from '../../src/contracts/resources.js';
import { Mailer } from '../../src/platform/mail/mailer.js';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import {
  OrganizationsFixture,
  type OrganizationBody,
  type PageBody,
  type AnswerOrProblem,
} from '../support/organizations.fixture.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

interface InvitationBody {
  id: string;
  email: string;
  role: OrganizationRole;
}

/** Tokens by address, as they were mailed. */
const mailed = new Map<string, string>();

let fixture: OrganizationsFixture;
let ada: InsertedAccount;
let grace: InsertedAccount;
let mallory: InsertedAccount;
let organization: OrganizationBody;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api,worker' });
  const mailer = fixture.application.get(Mailer);
  const enqueue = mailer.enqueue.bind(mailer);
  mailer.enqueue = async (mail) => {
    if (mail.template === 'organization_invitation') {
      mailed.set(mail.to, mail.values.token);
    }
    await enqueue(mail);
  };
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  [ada, grace, mallory] = [
    await fixture.createAccount('ada'),
    await fixture.createAccount('grace'),
    await fixture.createAccount('mallory'),
  ];
  organization = await fixture.createOrganization(ada);
});

const path = (rest = ''): string => `/organizations/${organization.id}${rest}`;
const member = async (name: string, role: OrganizationRole): Promise<InsertedAccount> =>
  fixture.addMember(await fixture.createAccount(name), role, organization.id);
const rolesOf = async (): Promise<Record<string, OrganizationRole>> =>
  Object.fromEntries(
    (
      await fixture.sql.rows<{ user_id: string; role: OrganizationRole }>(
        'SELECT user_id, role FROM memberships WHERE organization_id = $1',
        [organization.id],
      )
    ).map(({ user_id, role }) => [user_id, role]),
  );

describe('Invitations', () => {
  const invite = (
    who: InsertedAccount,
    email: string,
    role = 'OPERATOR',
    headers = {},
  ): Promise<AnswerOrProblem<InvitationBody>> =>
    fixture.request<InvitationBody>(who, 'POST', path('/invitations'), { email, role }, headers);
  const accept = (who: InsertedAccount, token = ''): Promise<AnswerOrProblem> =>
    fixture.request(who, 'POST', '/organizations/invitations/accept', { token });

  it('make the person at that address a member, once', async () => {
    const { status, body } = await invite(ada, grace.email.toUpperCase());
    expect([status, body.email, body.role]).toEqual([201, grace.email, 'OPERATOR']);
    const token = mailed.get(grace.email);
    expect(JSON.stringify(body)).not.toContain(token);
    expect((await accept(mallory, token)).body).toMatchObject({ code: 'invalid_invitation', status: 422 });
    const answers = await Promise.all([accept(grace, token), accept(grace, token), accept(grace, token)]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 422, 422]);
    expect(await rolesOf()).toEqual({ [ada.id]: 'OWNER', [grace.id]: 'OPERATOR' });
    expect((await fixture.request<PageBody<InvitationBody>>(ada, 'GET', path('/invitations'))).body.items).toEqual([]);
    expect((await invite(ada, grace.email)).body).toMatchObject({ code: 'already_member', status: 409 });
  });

  it('answer the same whether the address has an account or not', async () => {
    const known = await invite(ada, grace.email);
    const unknown = await invite(ada, `nobody-${randomUUID()}@example.com`);
    expect(unknown.status).toBe(known.status);
    expect(Object.keys(unknown.body)).toEqual(Object.keys(known.body));
    const names = (answer: AnswerOrProblem<InvitationBody>): string[] => [...answer.headers.keys()].sort();
    expect(names(unknown)).toEqual(names(known));
  });

  it('are sent once for one idempotency key', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await invite(ada, grace.email, 'VIEWER', key);
    const token = mailed.get(grace.email);
    const second = await invite(ada, grace.email, 'VIEWER', key);
    expect(second.body).toEqual(first.body);
    expect(mailed.get(grace.email)).toBe(token);
  });

  it('are refused when a mailbox got enough of one person, and the last one stays good', async () => {
    const other = await fixture.createOrganization(ada);
    const send = (email: string, time: number): Promise<AnswerOrProblem> => {
      const { id } = time % 2 === 0 ? organization : other;
      return fixture.request(ada, 'POST', `/organizations/${id}/invitations`, { email, role: 'VIEWER' });
    };
    for (const email of [grace.email, `nobody-${randomUUID()}@example.com`]) {
      const answers: AnswerOrProblem[] = [];
      for (let time = 0; time < 7; time += 1) {
        answers.push(await send(email, time));
      }
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 429, 429]);
      expect(answers.at(-1)?.body.code).toBe('mail_quota_exceeded');
      expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await accept(grace, mailed.get(grace.email))).status).toBe(200);
  });

  it('are worthless when they are revoked, replaced or seven days old', async () => {
    const { body } = await invite(ada, grace.email);
    const revoked = mailed.get(grace.email);
    expect((await fixture.request(ada, 'DELETE', path(`/invitations/${body.id}`))).status).toBe(204);
    expect((await fixture.request(ada, 'DELETE', path(`/invitations/${body.id}`))).body.code).toBe(
      'invitation_not_found',
    );
    expect((await accept(grace, revoked)).status).toBe(422);

    await invite(ada, grace.email);
    const replaced = mailed.get(grace.email);
    await invite(ada, grace.email, 'VIEWER');
    expect((await accept(grace, replaced)).status).toBe(422);

    await fixture.sql.rows(
      `UPDATE invitations SET expires_at = now() - interval '1 second' WHERE organization_id = $1`,
      [organization.id],
    );
    expect((await accept(grace, mailed.get(grace.email))).status).toBe(422);
    expect(await rolesOf()).toEqual({ [ada.id]: 'OWNER' });
  });

  it('are as good as the right of who sent them', async () => {
    const manager = await member('manager', 'MANAGER');
    expect((await invite(manager, grace.email, 'MANAGER')).status).toBe(403);
    expect((await invite(manager, grace.email, 'OPERATOR')).status).toBe(201);
    const token = mailed.get(grace.email);
    expect((await fixture.request(ada, 'PATCH', path(`/members/${manager.id}`), { role: 'VIEWER' })).status).toBe(200);
    expect((await accept(grace, token)).status).toBe(422);
    expect((await fixture.request(ada, 'PATCH', path(`/members/${manager.id}`), { role: 'MANAGER' })).status).toBe(200);
    expect((await accept(grace, token)).status).toBe(422);
  });

  describe('accepted while a change of the organization is on its way', () => {
    let other: Sql;
    beforeEach(async () => {
      other = await Sql.open(fixture.application.databaseUrl);
    });
    afterEach(() => other.end());

    /** Accepts while `change` holds the organization, and lets it commit once the acceptance waits for it. */
    const acceptDuring = async (change: string, id: string): Promise<AnswerOrProblem> => {
      await other.rows('BEGIN');
      await other.rows('SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE', [organization.id]);
      await other.rows(change, [id]);
      const accepting = accept(grace, mailed.get(grace.email));
      await eventually('the acceptance waits', async () => {
        const waiting = await fixture.sql.rows(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
      await other.rows('COMMIT');
      return accepting;
    };

    it('are worth nothing when the inviter lost the right by it', async () => {
      const manager = await member('manager', 'MANAGER');
      await invite(manager, grace.email);
      const answer = await acceptDuring(`UPDATE memberships SET role = 'VIEWER' WHERE user_id = $1`, manager.id);
      expect(answer.body).toMatchObject({ code: 'invalid_invitation', status: 422 });
      expect(Object.keys(await rolesOf())).not.toContain(grace.id);
    });

    it('join, or are worth nothing, when the organization ends at the same moment', async () => {
      for (let round = 0; round < 20; round += 1) {
        organization = await fixture.createOrganization(ada);
        await invite(ada, grace.email);
        const [accepted, deleted] = await Promise.all([
          accept(grace, mailed.get(grace.email)),
          fixture.request(ada, 'DELETE', path()),
        ]);
        expect([deleted.status, [200, 404, 422].includes(accepted.status)]).toEqual([204, true]);
        expect(await rolesOf()).toEqual({});
      }
    });
  });

  it('of an owner are not for managers to replace or revoke', async () => {
    const manager = await member('manager', 'MANAGER');
    const { body } = await invite(ada, grace.email, 'MANAGER');
    expect((await invite(manager, grace.email, 'VIEWER')).status).toBe(403);
    expect((await fixture.request(manager, 'DELETE', path(`/invitations/${body.id}`))).status).toBe(403);
    expect((await accept(grace, mailed.get(grace.email))).body).toMatchObject({ role: 'MANAGER' });
  });

  /** Invitations past the API, each to another address. */
  const send = (count: number, expiresIn: string, acceptedAt: Date | null = null): Promise<unknown> =>
    fixture.sql.rows(
      `INSERT INTO invitations (id, organization_id, email, role, invited_by, token_hash, expires_at, accepted_at)
       SELECT id, $1, id || '@example.com', 'VIEWER', $2, decode(md5(id::text), 'hex'), now() + $4::interval, $5
       FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $3)) AS made`,
      [organization.id, ada.id, count, expiresIn, acceptedAt],
    );

  it('are forgotten once they are past their time, however many, answered or not', async () => {
    await send(2_500, '-1 second');
    await send(1, '-1 second', new Date());
    await send(3, '1 day');
    await send(1, '1 day', new Date());
    await fixture.application.get(JobRegistry).get('purge_invitations')({});
    const left = await fixture.sql.rows(
      'SELECT count(*)::int, count(accepted_at)::int AS accepted FROM invitations WHERE organization_id = $1',
      [organization.id],
    );
    expect(left).toEqual([{ count: 4, accepted: 1 }]);
  });

  it('are at most a hundred open ones', async () => {
    await send(100, '1 day');
    expect((await invite(ada, grace.email)).body).toMatchObject({ code: 'too_many_invitations' });
  });
});
