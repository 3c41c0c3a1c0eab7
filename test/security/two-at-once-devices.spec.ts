/**
 * Two people act on one device at the same instant: two claims of one code, a claim and a renewal, two acceptances of one offer, an acceptance
 * against its cancellation, two activations by one code, two changes of one version of its settings. Each time there is one
 * effect and one refusal, which is the one that is documented, and nothing fails.
 * Seen to fail: with an activation that checks its code and does not consume it (two successes, no refusal), and with settings
 * that are changed without the lock and the version in the UPDATE.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { type Contest, contest, CONTEST_MS } from '../support/contest.js';
import { deviceClient } from '../support/devices.fixture.js';
import { TestApp } from '../support/test-app.js';

let application: TestApp;
let maker: InsertedAccount;
let settingsContests = 0;

beforeAll(async () => {
  application = await TestApp.start({
    env: { ROLES: 'api', REGISTRATION: 'verified', RATE_LIMIT_SCALE: '100000', MAX_DEVICES_PER_USER: '100000' },
  });
  maker = await insertAccount(application, { role: 'MAKER' });
}, 60_000);

afterAll(() => application.stop());

const ask = deviceClient(() => application.url);

/** Of new people each time: what mail they can cause has a limit. */
const people = (): Promise<[InsertedAccount, InsertedAccount]> =>
  Promise.all([insertAccount(application), insertAccount(application)]);

const count = async (sql: string, values: unknown[]): Promise<number> => (await application.rows(sql, values)).length;

async function register(owner: InsertedAccount): Promise<string> {
  const { body } = await ask<{ device: { id: string } }>(owner, 'POST', '', { name: 'Door', hardwareId: randomUUID() });
  return body.device.id;
}

async function offered(): Promise<{ owner: InsertedAccount; heir: InsertedAccount; id: string; transferId: string }> {
  const [owner, heir] = await people();
  const id = await register(owner);
  const { body } = await ask<{ id: string }>(owner, 'POST', `/${id}/transfer`, { email: heir.email });
  return { owner, heir, id, transferId: body.id };
}

const owns = (who: InsertedAccount, id: string): Promise<number> =>
  count('SELECT 1 FROM devices WHERE id = $1 AND owner_id = $2', [id, who.id]);

const CONTESTS: Readonly<Record<string, () => Promise<Contest>>> = {
  'two claims of one code': async () => {
    const [one, other] = await people();
    const { body } = await ask<{ results: { deviceId: string; claimCode: string }[] }>(maker, 'POST', '/provision', {
      devices: [{ hardwareId: randomUUID() }],
    });
    const [row] = body.results;
    const claim = (who: InsertedAccount) => () => ask(who, 'POST', '/claim', { code: row?.claimCode });
    return {
      both: [claim(one), claim(other)],
      refusal: '422 invalid_claim_code',
      effects: () =>
        count(
          `SELECT 1 FROM audit_entries WHERE action = 'device_claimed' AND outcome = 'success' AND entity_id = $1`,
          [row?.deviceId],
        ),
    };
  },
  'a claim and a renewal of its secrets': async () => {
    const [buyer] = await people();
    const devices = [{ hardwareId: randomUUID() }];
    const load = () =>
      ask<{ results: { claimCode: string; status: string; code: string | null }[] }>(
        maker,
        'POST',
        '/provision?renew=true',
        { devices },
      );
    const [row] = (await load()).body.results;
    const renewed =
      'SELECT 1 FROM provisioned_devices WHERE hardware_key = hardware_key($1) AND claim_code_hash IS NOT NULL';
    return {
      both: [
        () => ask(buyer, 'POST', '/claim', { code: row?.claimCode }),
        // The list is read either way; its row is refused.
        async () => {
          const answer = await load();
          const [result] = answer.body.results;
          return { ...answer, status: result?.status === 'renewed' ? 200 : 409, body: { code: result?.code } };
        },
      ],
      // The code that was renewed is none any more; and the device that was claimed has an owner.
      refusal: ['422 invalid_claim_code', '409 hardware_id_taken'],
      effects: async () =>
        (await count(renewed, [devices[0]?.hardwareId])) +
        (await count('SELECT 1 FROM devices WHERE owner_id = $1', [buyer.id])),
    };
  },
  'two acceptances of one offer': async () => {
    const { heir, id, transferId } = await offered();
    const accept = () => ask(heir, 'POST', `/transfers/${transferId}/accept`, {});
    return { both: [accept, accept], refusal: '404 transfer_not_found', effects: () => owns(heir, id) };
  },
  'an acceptance and a cancellation': async () => {
    const { owner, heir, id, transferId } = await offered();
    const both = [
      () => ask(heir, 'POST', `/transfers/${transferId}/accept`, {}),
      () => ask(owner, 'DELETE', `/${id}/transfer`),
    ] as const;
    // Who had the device has no right any more to know of it or its offer, once it was accepted.
    const refusal = ['404 transfer_not_found', '404 not_found'] as const;
    return { both, refusal, effects: async () => (await owns(heir, id)) + (await owns(owner, id)) };
  },
  'two activations by one code': async () => {
    const [owner] = await people();
    const id = await register(owner);
    const { body } = await ask<{ activation: { code: string } }>(owner, 'POST', `/${id}/activation-code`);
    const { code } = body.activation;
    const activate = () => ask(null, 'POST', '/activate', { deviceId: id, code });
    const valid = 'SELECT 1 FROM device_credentials WHERE device_id = $1 AND revoked_at IS NULL';
    return { both: [activate, activate], refusal: '422 invalid_activation_code', effects: () => count(valid, [id]) };
  },
  'two changes of one version of its settings': async () => {
    const [owner, guest] = await people();
    const id = await register(owner);
    await ask(owner, 'POST', `/${id}/shares`, { email: guest.email, permission: 'admin' });
    const change = (who: InsertedAccount, version: number, autoLockTimeoutMs: number) => () =>
      ask(who, 'PATCH', `/${id}/settings`, { version, settings: { autoLockTimeoutMs } });
    // Half of them are of settings that were changed before; the others are of none, without a row that could be locked.
    settingsContests += 1;
    const version = settingsContests % 2;
    if (version === 1) {
      await change(owner, 0, 1_000)();
    }
    const changes = `SELECT 1 FROM audit_entries WHERE action = 'device_settings_changed' AND outcome = 'success' AND entity_id = $1`;
    return {
      both: [change(owner, version, 2_000), change(guest, version, 3_000)],
      refusal: '409 settings_changed',
      effects: async () => (await count(changes, [id])) - version,
    };
  },
};

describe('P-07: two people act on one device at the same instant', () => {
  it.each(Object.entries(CONTESTS))(
    'has one effect and one refusal: %s',
    async (name, prepare) => {
      expect(await contest(name, prepare)).toEqual([]);
    },
    CONTEST_MS,
  );
});
