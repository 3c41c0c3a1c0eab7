/**
 * What the next owner of a device gets of the last one, who deleted it: nothing. The broker is away, as it may be, so that what it
 * held is not taken back yet.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { deviceClient } from '../support/devices.fixture.js';
import { TestApp } from '../support/test-app.js';

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
