/**
 * Two people act on one share at the same instant: two changes of one version, two shares for one address, the last share
 * that an address may have, two acceptances of one invitation, a revocation and a leave. Each time there is one effect and one
 * refusal, which is the one that is documented.
 * Seen to fail: with a change that updates any version, and with an address that is not locked.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { type Contest, contest, CONTEST_MS } from '../support/contest.js';
import { type ShareBody, SharingFixture } from '../support/sharing.fixture.js';

let fixture: SharingFixture;

beforeAll(async () => {
  fixture = await SharingFixture.start({ ROLES: 'api', RATE_LIMIT_SCALE: '100000' });
}, 60_000);

afterAll(() => fixture.stop());

interface Scene {
  readonly ada: InsertedAccount;
  readonly grace: InsertedAccount;
  readonly door: string;
  readonly id: string;
  readonly path: string;
}

async function shared(terms: Record<string, unknown> = {}): Promise<Scene> {
  const [ada, grace] = await Promise.all([fixture.createAccount('ada'), fixture.createAccount('grace')]);
  const door = (await fixture.registerDevice(ada)).id;
  const { id } = (await fixture.share(ada, door, grace, terms)).body;
  return { ada, grace, door, id, path: `/devices/${door}/shares/${id}` };
}

const count = async (sql: string, values: unknown[]): Promise<number> => (await fixture.sql.rows(sql, values)).length;
const audited = (action: string, entityId: string) => (): Promise<number> =>
  count(`SELECT 1 FROM audit_entries WHERE action = $1 AND outcome = 'success' AND entity_id = $2`, [action, entityId]);

const CONTESTS: Readonly<Record<string, () => Promise<Contest>>> = {
  'two changes of one version of a share': async () => {
    const { ada, id, path } = await shared();
    const change = (permission: string) => () =>
      fixture.request(ada, 'PATCH', path, { permission }, { 'if-match': '"1"' });
    const both = [change('view'), change('admin')] as const;
    return { both, refusal: '412 share_changed', effects: audited('share_changed', id) };
  },
  'two shares for one address': async () => {
    const { ada, door } = await shared();
    const email = `guest-${randomUUID()}@example.com`;
    const give = () => fixture.request(ada, 'POST', `/devices/${door}/shares`, { email, permission: 'view' });
    const effects = (): Promise<number> =>
      count('SELECT 1 FROM device_shares WHERE device_id = $1 AND email = $2', [door, email]);
    return { both: [give, give], refusal: '409 already_shared', effects };
  },
  'the last share of all that one address may have, from two givers': async () => {
    const [ada, grace] = [await fixture.createAccount('ada'), await fixture.createAccount('grace')];
    const [front, back] = [(await fixture.registerDevice(ada)).id, (await fixture.registerDevice(grace)).id];
    const email = `guest-${randomUUID()}@example.com`;
    await fixture.shareMany((await fixture.createAccount('others')).id, email, 999);
    const give = (who: InsertedAccount, id: string) => () =>
      fixture.request(who, 'POST', `/devices/${id}/shares`, { email, permission: 'view' });
    const effects = (): Promise<number> =>
      count('SELECT 1 FROM device_shares WHERE device_id IN ($1, $2) AND email = $3', [front, back, email]);
    return { both: [give(ada, front), give(grace, back)], refusal: '409 too_many_shares', effects };
  },
  'two acceptances of one invitation': async () => {
    const { grace, id } = await shared();
    const token = randomBytes(32).toString('base64url');
    await fixture.sql.rows(
      `UPDATE device_shares SET user_id = NULL, token_hash = $2, token_expires_at = now() + interval '1 day' WHERE id = $1`,
      [id, createHash('sha256').update(token).digest()],
    );
    const accept = () => fixture.request(grace, 'POST', '/shares/accept', { token });
    const effects = audited('share_accepted', id);
    return { both: [accept, accept], refusal: '422 invalid_share_invitation', effects };
  },
  'a revocation and a leave': async () => {
    const { ada, grace, id, path } = await shared();
    const both = [
      () => fixture.request(ada, 'DELETE', path),
      () => fixture.request(grace, 'DELETE', `/shares/${id}`),
    ] as const;
    const ended = [audited('share_revoked', id), audited('share_left', id)];
    const effects = async () => (await Promise.all(ended.map((each) => each()))).reduce((a, b) => a + b, 0);
    return { both, refusal: '404 not_found', effects };
  },
};

describe('P-07: two people act on one share at the same instant', () => {
  it.each(Object.entries(CONTESTS))(
    'has one effect and one refusal: %s',
    async (name, prepare) => {
      expect(await contest(name, prepare)).toEqual([]);
    },
    CONTEST_MS,
  );
});

describe('The owner who narrows a share while who gave it widens it', () => {
  it.each(['first', 'second'])('has the last word, asking %s', async (place) => {
    const [{ ada, grace, door }, guest] = [await shared({ permission: 'admin' }), await fixture.createAccount('guest')];
    for (let round = 0; round < 4; round += 1) {
      const { id } = (await fixture.share(grace, door, guest, { permission: 'view' })).body;
      await fixture.changeShare(grace, { door, id }, { suspended: true });
      const narrow = () => fixture.changeShare(ada, { door, id }, { suspended: true });
      const widen = () => fixture.changeShare(grace, { door, id }, { suspended: false, permission: 'control' });
      const [first, second] = place === 'first' ? [narrow, widen] : [widen, narrow];
      await Promise.all([first(), second()]);
      const { body } = await fixture.request<ShareBody>(ada, 'GET', `/devices/${door}/shares/${id}`);
      expect(body.suspended).toBe(true);
      expect((await widen()).status).toBe(403);
      await fixture.request(ada, 'DELETE', `/devices/${door}/shares/${id}`);
    }
  });
});
