/**
 * What the next owner of a device gets of the last one, who deleted it: nothing; and that an account gets none whose activation code
 * would be dead. The broker is away, as it may be, so that what it
 * held is not taken back yet.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { deviceClient } from '../support/devices.fixture.js';
import type { Answer } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

interface Claimed {
  activation: { code: string } | null;
}
interface Settings {
  desired: object;
  reported: object | null;
  version: number;
}

let application: TestApp;
let maker: InsertedAccount;

beforeAll(async () => {
  // Without the role `hardware`, which publishes settings.
  application = await TestApp.start({ env: { ROLES: 'api' } });
  maker = await insertAccount(application, { role: 'MAKER' });
}, 60_000);

afterAll(() => application.stop());

const ask = deviceClient(() => application.url);

async function loaded(): Promise<{ id: string; code: string }> {
  const { body } = await ask<{ results: { deviceId: string; claimCode: string }[] }>(maker, 'POST', '/provision', {
    devices: [{ hardwareId: randomUUID() }],
  });
  return { id: body.results[0]?.deviceId ?? '', code: body.results[0]?.claimCode ?? '' };
}

const claim = (who: InsertedAccount, code: string) => ask<Claimed>(who, 'POST', '/claim', { code });

/** The last owner deletes the device, and the next one claims it. */
async function handedOn(id: string, last: InsertedAccount): Promise<{ next: InsertedAccount; claimed: Claimed }> {
  expect((await ask(last, 'DELETE', `/${id}`)).status).toBe(204);
  const renewed = await ask<{ claimCode: string }>(maker, 'POST', `/../provisioned-devices/${id}/claim-code`);
  const next = await insertAccount(application);
  return { next, claimed: (await claim(next, renewed.body.claimCode)).body };
}

async function owned(): Promise<{ id: string; last: InsertedAccount }> {
  const [{ id, code }, last] = [await loaded(), await insertAccount(application)];
  expect((await claim(last, code)).status).toBe(201);
  return { id, last };
}

describe('The next owner of a device that was deleted', () => {
  it('gets none of its settings, and changes them in the version that they read', async () => {
    const { id, last } = await owned();
    const of = (who: InsertedAccount, method: string, body?: object) =>
      ask<Settings>(who, method, `/${id}/settings`, body);
    const secret = { settings: { autoLockTimeoutMs: 5_000, custom: { wifiPassword: 'of the last owner' } } };
    expect((await of(last, 'PATCH', secret)).status).toBe(200);
    await application.rows(
      `UPDATE device_settings SET reported = desired, reported_version = version, published_version = version WHERE id = $1`,
      [id],
    );
    const { next } = await handedOn(id, last);
    const read = await of(next, 'GET');
    expect(read.body).toMatchObject({ desired: {}, reported: null });
    expect(read.body.version).toBeGreaterThan(1);
    const change = { settings: { notificationsEnabled: true }, version: read.body.version };
    const changed = await of(next, 'PATCH', change);
    expect([changed.status, changed.body]).toEqual([
      200,
      expect.objectContaining({ desired: change.settings, reported: null, version: read.body.version + 1 }),
    ]);
    // What the broker has may still be that of the last owner.
    expect(
      await application.rows('SELECT published_version < 0 AS stale FROM device_settings WHERE id = $1', [id]),
    ).toEqual([{ stale: true }]);
  });

  it('gets no token that was ending: it was kept without its end', async () => {
    const { id, last } = await owned();
    expect((await ask(last, 'POST', `/${id}/token/rotate`, { overlapSeconds: 60 })).status).toBe(200);
    const { claimed } = await handedOn(id, last);
    expect(await application.rows('SELECT 1 FROM device_credentials WHERE device_id = $1', [id])).toEqual([]);
    expect(claimed.activation?.code).toEqual(expect.any(String));
  });

  it('gets the token that it was made with, where nobody replaced or revoked it', async () => {
    const { id, last } = await owned();
    expect((await handedOn(id, last)).claimed.activation).toBeNull();
  });
});

describe('An account that unlocks no door for now', () => {
  const RESTRICT = `UPDATE users SET unlock_after = now() + interval '1 hour' WHERE id = $1`;
  const lift = (who: InsertedAccount) =>
    application.rows('UPDATE users SET unlock_after = NULL WHERE id = $1', [who.id]);
  const refusalOf = ({ status, body }: Answer<object>): unknown => [status, (body as { code?: string }).code];

  it('accepts no device, also when it was restricted while it waited: its code would activate nothing', async () => {
    const [{ id, last }, heir] = [await owned(), await insertAccount(application)];
    const token = 'B'.repeat(43);
    expect((await ask(last, 'POST', `/${id}/transfer`, { email: heir.email })).status).toBe(201);
    const setToken = 'UPDATE device_transfers SET token_hash = sha256($2::bytea) WHERE device_id = $1';
    await application.rows(setToken, [id, token]);
    const accept = () => ask<Claimed>(heir, 'POST', '/transfers/accept', { token });
    const holder = await Sql.open(application.databaseUrl);
    await holder.rows('BEGIN');
    await holder.rows(RESTRICT, [heir.id]);
    const waiting = accept();
    await eventually('the acceptance waits for the account', async () => {
      const rows = await application.rows(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM users u%FOR NO KEY UPDATE'`,
      );
      return rows.length === 1;
    });
    await holder.rows('COMMIT');
    await holder.end();
    for (const answer of [await waiting, await accept()]) {
      expect(refusalOf(answer)).toEqual([403, 'unlock_restricted']);
    }
    const kept = `SELECT (SELECT count(*)::int FROM device_credentials c WHERE c.device_id = d.id AND revoked_at IS NULL) AS tokens
      FROM devices d WHERE id = $1 AND owner_id = $2`;
    expect(await application.rows(kept, [id, last.id])).toEqual([{ tokens: 1 }]);
    await lift(heir);
    expect((await accept()).body.activation?.code).toEqual(expect.any(String));
  });

  it('claims a thing that has its token, and none that would need a code', async () => {
    const [withToken, without, buyer] = [await loaded(), await loaded(), await insertAccount(application)];
    await application.rows('UPDATE provisioned_devices SET token_hash = NULL WHERE id = $1', [without.id]);
    await application.rows(RESTRICT, [buyer.id]);
    expect((await claim(buyer, withToken.code)).status).toBe(201);
    expect(refusalOf(await claim(buyer, without.code))).toEqual([403, 'unlock_restricted']);
    await lift(buyer);
    expect((await claim(buyer, without.code)).body.activation?.code).toEqual(expect.any(String));
  });
});
