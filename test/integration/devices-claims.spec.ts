/**
 * The inventory of makers and the claims of buyers: a registration of the same number stands in no way, codes work once and
 * for whom they are, and a maker sees what they loaded and nothing else.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount, uniqueEmail } from '../support/accounts.fixture.js';
import { deviceClient } from '../support/devices.fixture.js';
import { MailServer } from '../support/mail-server.js';
import type { ProvisionedRow, ProvisionedRows } from '../support/provisioning.fixture.js';
import type { Answer } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

interface Device {
  id: string;
  name: string;
  hardwareId: string;
}

let application: TestApp;
let mail: MailServer;
let maker: InsertedAccount;
let buyer: InsertedAccount;
let stranger: InsertedAccount;

beforeAll(async () => {
  mail = await MailServer.start();
  application = await TestApp.start({
    env: { REGISTRATION: 'verified', SMTP_URL: mail.url, MAX_DEVICES_PER_USER: '6', RATE_LIMIT_SCALE: '1000' },
  });
  [maker, buyer, stranger] = await Promise.all([
    insertAccount(application, { name: 'maker', role: 'MAKER' }),
    insertAccount(application, { name: 'buyer' }),
    insertAccount(application, { name: 'stranger' }),
  ]);
}, 60_000);

afterAll(async () => {
  await application.stop();
  await mail.stop();
});

const ask = deviceClient(() => application.url);

async function load(...devices: object[]): Promise<ProvisionedRow[]> {
  const { status, body } = await ask<ProvisionedRows>(maker, 'POST', '/provision', { devices });
  expect(status).toBe(200);
  return body.results;
}

async function loadOne(more: object = {}): Promise<ProvisionedRow> {
  const [row] = await load({ hardwareId: randomUUID(), ...more });
  if (row?.status !== 'created' || row.claimed) {
    throw new Error(`Nothing was loaded: ${JSON.stringify(row)}`);
  }
  return row;
}

const claim = (who: InsertedAccount, code: string | null, more: object = {}) =>
  ask<{ device: Device; activation: { code: string } | null }>(who, 'POST', '/claim', { code, ...more });
const INVALID = [422, expect.objectContaining({ code: 'invalid_claim_code' })];

describe('The inventory', () => {
  it('is for makers, who see and manage what they loaded; administrators see all', async () => {
    const row = await loadOne();
    const [other, admin] = await Promise.all([
      insertAccount(application, { role: 'MAKER' }),
      insertAccount(application, { role: 'ADMIN' }),
    ]);
    const listed = async (who: InsertedAccount): Promise<string[]> =>
      (
        await ask<{ items: { id: string }[] }>(who, 'GET', '/../provisioned-devices?claimed=false&limit=200')
      ).body.items.map(({ id }) => id);
    expect([await listed(maker), await listed(admin)].every((ids) => ids.includes(row.deviceId))).toBe(true);
    expect(await listed(other)).toEqual([]);
    for (const [method, path] of [
      ['POST', `/../provisioned-devices/${row.deviceId}/claim-code`],
      ['DELETE', `/../provisioned-devices/${row.deviceId}`],
    ] as const) {
      expect((await ask(other, method, path)).status).toBe(404);
      expect((await ask(stranger, method, path)).status).toBe(403);
    }
    expect((await ask(stranger, 'GET', '/../provisioned-devices')).status).toBe(403);
    expect((await ask(stranger, 'POST', '/provision', { devices: [] })).status).toBe(403);
    // The role gives no access to what was claimed.
    const { device } = (await claim(buyer, row.claimCode)).body;
    expect((await ask(maker, 'GET', `/${device.id}`)).status).toBe(404);
    expect((await ask(admin, 'GET', `/${device.id}`)).status).toBe(404);
    for (const [method, path] of [
      ['POST', `/../provisioned-devices/${row.deviceId}/claim-code`],
      ['DELETE', `/../provisioned-devices/${row.deviceId}`],
    ] as const) {
      expect((await ask(maker, method, path)).body).toMatchObject({ code: 'already_claimed' });
    }
    const walked: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Answer<{ items: { id: string }[]; nextCursor: string | null }> = await ask(
        maker,
        'GET',
        `/../provisioned-devices?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      walked.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.nextCursor;
    }
    expect(walked.length).toBe(new Set(walked).size);
    expect(walked).toContain(row.deviceId);
  });

  it('gives what has an owner to the account with that address at once, and mails the code to any other', async () => {
    const email = uniqueEmail('later');
    const [owned, mailed, second] = await load(
      { hardwareId: randomUUID(), ownerEmail: stranger.email, name: 'Attic' },
      { hardwareId: randomUUID(), ownerEmail: email, name: 'Garage' },
      { hardwareId: randomUUID(), ownerEmail: email },
    );
    expect(owned).toMatchObject({ claimed: true, mailed: false, claimCode: null });
    expect([mailed, second]).toEqual(Array(2).fill(expect.objectContaining({ mailed: true, claimCode: null })));
    expect((await ask(stranger, 'GET', `/${String(owned?.deviceId)}`)).body).toMatchObject({
      name: 'Attic',
      owned: true,
    });
    await eventually('the codes are mailed', () => mail.mails.some(({ to }) => to === email));
    const letters = mail.mails.filter(({ to }) => to === email);
    const code = /(\S+) {2}Garage/.exec(letters[0]?.text ?? '')?.[1] ?? '';
    expect(letters).toHaveLength(1);
    // The mail is no use to another account.
    const thief = await claim(buyer, code);
    expect([thief.status, thief.body]).toEqual(INVALID);
    const later = await insertAccount(application);
    await application.rows('UPDATE users SET email = $2 WHERE id = $1', [later.id, email]);
    expect((await claim(later, code)).body.device).toMatchObject({ id: mailed?.deviceId, name: 'Garage' });
  });

  it('loads again what an answer was lost of: with new secrets, and only what is theirs and has no owner', async () => {
    const [other, admin] = await Promise.all([
      insertAccount(application, { role: 'MAKER' }),
      insertAccount(application, { role: 'ADMIN' }),
    ]);
    const number = randomUUID().toUpperCase();
    const [lost, claimed] = [await loadOne({ hardwareId: number, name: 'First' }), await loadOne()];
    await claim(buyer, claimed.claimCode);
    const foreign = await ask<ProvisionedRows>(other, 'POST', '/provision', { devices: [{ mac: randomUUID() }] });
    const devices = [
      { hardwareId: number.replaceAll('-', ':').toLowerCase(), name: 'Second' },
      { hardwareId: claimed.hardwareId },
      { hardwareId: foreign.body.results[0]?.hardwareId },
      { hardwareId: randomUUID() },
    ];
    const key = { 'idempotency-key': randomUUID() };
    const renew = (who: InsertedAccount, some = devices, headers = {}) =>
      ask<ProvisionedRows>(who, 'POST', '/provision?renew=true', { devices: some }, headers);
    const { body } = await renew(maker, devices, key);
    const [renewed] = body.results;
    expect([body.created, body.renewed, body.refused]).toEqual([1, 1, 2]);
    expect(body.results.map(({ status, code }) => code ?? status)).toEqual([
      ...['renewed', 'hardware_id_taken', 'hardware_id_taken', 'created'],
    ]);
    expect(renewed).toMatchObject({ deviceId: lost.deviceId, hardwareId: number.replaceAll('-', ':') });
    const again = await renew(maker, devices, key);
    expect(again.body.results).toEqual(body.results.map((row) => ({ ...row, claimCode: null, deviceToken: null })));
    // The former code and token are of no use; what the list says now counts.
    expect((await claim(buyer, lost.claimCode)).body).toMatchObject({ code: 'invalid_claim_code' });
    expect((await claim(buyer, renewed?.claimCode ?? '')).body.device).toMatchObject({ name: 'Second' });
    const connect = (token: unknown) =>
      ScriptedDevice.connect(application.mqttUrl, { id: lost.deviceId, token: String(token) });
    await expect(connect(lost.deviceToken)).rejects.toBeInstanceOf(Error);
    await (await connect(renewed?.deviceToken)).end();
    expect((await renew(stranger)).status).toBe(403);
    expect((await renew(admin, devices.slice(2, 3))).body.results).toMatchObject([{ status: 'renewed' }]);
  });

  it('finds a thing by its number, in whatever spelling', async () => {
    const row = await loadOne();
    const spelled = String(row.hardwareId).replaceAll('-', '.').toLowerCase();
    const found = async (query: string, who = maker): Promise<string[]> =>
      (await ask<{ items: { id: string }[] }>(who, 'GET', `/../provisioned-devices?${query}`)).body.items.map(
        ({ id }) => id,
      );
    expect(await found(`hardwareId=${spelled}`)).toEqual([row.deviceId]);
    expect(await found(`hardwareId=${spelled}&claimed=true`)).toEqual([]);
    expect(await found(`hardwareId=${spelled}`, await insertAccount(application, { role: 'MAKER' }))).toEqual([]);
    expect((await ask(maker, 'GET', '/../provisioned-devices?hardwareId=--')).status).toBe(400);
  });
});

describe('Claiming a device', () => {
  it('works once, whoever has registered its number, and lets it log in with the token it was made with', async () => {
    const hardwareId = randomUUID().toUpperCase();
    expect((await ask(stranger, 'POST', '', { name: 'Mine first', hardwareId })).status).toBe(201);
    const row = await loadOne({ hardwareId, name: 'Front door', room: 'Hall' });
    await expect(
      ScriptedDevice.connect(application.mqttUrl, { id: row.deviceId, token: String(row.deviceToken) }),
    ).rejects.toBeInstanceOf(Error);
    const typed = String(row.claimCode).toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
    const { status, body, headers } = await claim(buyer, typed, { room: null, timeZone: 'Europe/Berlin' });
    expect([status, body.activation]).toEqual([201, null]);
    expect(body.device).toMatchObject({ name: 'Front door', hardwareId, room: null, timeZone: 'Europe/Berlin' });
    expect(headers.get('location')).toBe(`/api/v1/devices/${row.deviceId}`);
    const again = await ask<{ code: string }>(buyer, 'POST', '', {
      name: 'Twice',
      hardwareId: `${hardwareId} .`.toLowerCase(),
    });
    expect([again.status, again.body.code]).toEqual([409, 'hardware_id_taken']);
    const line = await ScriptedDevice.connect(application.mqttUrl, {
      id: row.deviceId,
      token: String(row.deviceToken),
    });
    await line.end();
    const events = await ask<{ items: { type: string }[] }>(buyer, 'GET', `/${row.deviceId}/events`);
    expect(events.body.items.map(({ type }) => type)).toContain('device_registered');
  });

  it('refuses a wrong, a used and a replaced code alike, counts them, and keeps a trace', async () => {
    const used = await loadOne();
    expect((await claim(buyer, used.claimCode)).status).toBe(201);
    const replaced = await loadOne();
    const renewed = await ask<{ claimCode: string }>(
      maker,
      'POST',
      `/../provisioned-devices/${replaced.deviceId}/claim-code`,
    );
    const series = 'mortise_device_codes_refused_total{kind="claim"}';
    const before = await application.metric(series);
    const wrong = ['', 'x', 'UUUU-UUUU-UUUU-UUUU-UUUU', '0000-0000-0000-0000-0000'].slice(1);
    const answers = await Promise.all(
      [used.claimCode, replaced.claimCode, ...wrong].map((code) => claim(stranger, code)),
    );
    const strip = ({ status, body }: Answer): unknown => [
      status,
      { ...body, requestId: null, timestamp: null, instance: null },
    ];
    expect(new Set(answers.map((answer) => JSON.stringify(strip(answer)))).size).toBe(1);
    expect([answers[0]?.status, answers[0]?.body]).toEqual(INVALID);
    expect((await application.metric(series)) - before).toBe(answers.length);
    const traces = await application.rows(
      `SELECT 1 FROM audit_entries WHERE action = 'device_claimed' AND code = 'invalid_claim_code' AND actor = $1`,
      [`user:${stranger.id}`],
    );
    expect(traces.length).toBeGreaterThanOrEqual(answers.length);
    expect((await claim(buyer, renewed.body.claimCode)).status).toBe(201);
  });

  it('stops at the limit of devices, and the code stays good', async () => {
    const crowded = await insertAccount(application);
    for (let owned = 0; owned < 6; owned++) {
      await ask(crowded, 'POST', '', { name: 'Door', hardwareId: randomUUID() });
    }
    const row = await loadOne();
    expect((await claim(crowded, row.claimCode)).body).toMatchObject({ code: 'too_many_devices' });
    expect((await claim(await insertAccount(application), row.claimCode)).status).toBe(201);
  });

  it('goes back into the inventory once deleted: without a code, and its history stays with its owner', async () => {
    const [first, next] = [await insertAccount(application), await insertAccount(application)];
    const row = await loadOne();
    await claim(first, row.claimCode);
    await ask(first, 'PATCH', `/${row.deviceId}`, { room: 'Secret room', maintenance: true });
    await application.rows('UPDATE devices SET order_counter = 41 WHERE id = $1', [row.deviceId]);
    await ask(first, 'POST', `/${row.deviceId}/token/revoke`);
    expect((await ask(first, 'DELETE', `/${row.deviceId}`)).status).toBe(204);
    const again = await claim(next, row.claimCode);
    expect([again.status, again.body]).toEqual(INVALID);
    const { body } = await ask<{ claimCode: string }>(
      maker,
      'POST',
      `/../provisioned-devices/${row.deviceId}/claim-code`,
    );
    const claimed = await claim(next, body.claimCode);
    // The token that it was made with had been revoked.
    expect(claimed.body).toMatchObject({
      device: { id: row.deviceId, status: 'unknown' },
      activation: { code: expect.any(String) },
    });
    const { items } = (await ask<{ items: object[] }>(next, 'GET', `/${row.deviceId}/events`)).body;
    expect(items).toEqual([expect.objectContaining({ type: 'device_registered', actor: `user:${next.id}` })]);
    const counters = 'SELECT order_counter::int AS counter FROM devices WHERE id = $1';
    expect(await application.rows(counters, [row.deviceId])).toEqual([{ counter: 41 }]);
  });
});
