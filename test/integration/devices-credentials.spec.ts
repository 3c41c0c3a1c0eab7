/** Tokens of devices: activation by a code that works once, rotation with an overlap, and revocation. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hardwareKey } from '../../src/features/devices/domain/hardware-key.js';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { deviceClient, registerDevice, type RegisteredDevice } from '../support/devices.fixture.js';
import { modulesOfPng, modulesOfSvg, modulesOfText } from '../support/qr-modules.js';
import { type Answer, request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

interface Code {
  activation: { code: string; expiresAt: string } | null;
}

interface Renewed {
  deviceToken: string;
}

const KICKED_WITHIN_MS = 2_000;
const BROKER_URL = 'mqtts://broker.example.com:8883';
const END_OVERLAP = 'UPDATE device_credentials SET expires_at = now() WHERE device_id = $1 AND expires_at IS NOT NULL';

let application: TestApp;
let owner: InsertedAccount;
let stranger: InsertedAccount;

beforeAll(async () => {
  application = await TestApp.start({
    env: {
      ...{ RATE_LIMIT_SCALE: '1', TRUSTED_PROXIES: '127.0.0.1/32' },
      ...{ MQTT_PUBLIC_URL: BROKER_URL, PUBLIC_URL: 'https://locks.example.com/' },
    },
  });
  [owner, stranger] = await Promise.all([insertAccount(application), insertAccount(application)]);
}, 60_000);

afterAll(() => application.stop());

const ask = deviceClient(() => application.url);

async function newCode(id: string, who = owner): Promise<string> {
  const { status, body } = await ask<Code>(who, 'POST', `/${id}/activation-code`);
  expect(status).toBe(200);
  return body.activation?.code ?? '';
}

function activate(
  deviceId: string,
  code: string,
  from = '192.0.2.1',
): Promise<Answer<{ deviceToken: string; brokerUrl: string; orderKeys: object[]; code?: string }>> {
  const headers = { 'x-forwarded-for': from };
  return request(application.url, 'POST', '/api/v1/devices/activate', { body: { deviceId, code }, headers });
}

const connects = (device: RegisteredDevice): Promise<boolean> =>
  ScriptedDevice.connect(application.mqttUrl, device).then(
    (line) => line.end().then(() => true),
    () => false,
  );

/** Milliseconds until it is closed. */
async function closedAfter(line: ScriptedDevice): Promise<number> {
  const begun = performance.now();
  await line.closed();
  return performance.now() - begun;
}

describe('A device is activated', () => {
  it('by a code that works once, and every earlier token ends with its connections', async () => {
    const device = await registerDevice(application.url, owner);
    const line = await ScriptedDevice.born(application.mqttUrl, device, randomUUID());
    const [stale, code] = [await newCode(device.id), await newCode(device.id)];
    const closed = closedAfter(line);
    const wrong = await Promise.all([
      activate(device.id, stale),
      activate(device.id, 'x'),
      activate(randomUUID(), code),
      activate('no id', code),
    ]);
    // Seen to fail: its MQTT username was answered as it was typed, in capitals, which the broker refuses.
    const typed = [device.id.toUpperCase(), ` ${code.toLowerCase().replaceAll('-', '')} `] as const;
    const { status, body, headers } = await activate(...typed);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({
      deviceId: device.id,
      deviceToken: expect.stringMatching(/^[\w-]{43}$/),
      brokerUrl: BROKER_URL,
      orderKeys: expect.arrayContaining([expect.objectContaining({ alg: 'EdDSA' })]),
    });
    const refused = [...wrong, await activate(device.id, code)];
    expect(refused.map((answer) => [answer.status, answer.body.code])).toEqual(
      Array(5).fill([422, 'invalid_activation_code']),
    );
    expect(await application.metric('mortise_device_codes_refused_total{kind="activation"}')).toBe(5);
    expect(await closed).toBeLessThan(KICKED_WITHIN_MS);
    expect([await connects(device), await connects({ id: device.id, token: body.deviceToken })]).toEqual([false, true]);
    const { items } = (await ask<{ items: object[] }>(owner, 'GET', `/${device.id}/events?type=device_activated`)).body;
    expect(items).toEqual([expect.objectContaining({ actor: `device:${device.id}`, source: 'http' })]);
  });

  it('by no code that has expired, by the clock of the database', async () => {
    const device = await registerDevice(application.url, owner);
    const code = await newCode(device.id);
    const expiry = `SELECT extract(epoch FROM expires_at - now())::float8 / 3600 AS hours FROM device_activations WHERE device_id = $1`;
    const [{ hours } = { hours: 0 }] = await application.rows<{ hours: number }>(expiry, [device.id]);
    expect(hours).toBeGreaterThan(23.9);
    await application.rows(`UPDATE device_activations SET expires_at = now() WHERE device_id = $1`, [device.id]);
    expect((await activate(device.id, code)).status).toBe(422);
    expect(await connects(device)).toBe(true);
    expect((await ask(owner, 'GET', `/${device.id}/qr`)).body).toMatchObject({ code: 'activation_code_not_found' });
  });

  /** Seen to fail without the look at who made it. */
  it('by a code of a person who administers it, and not once they do not', async () => {
    const [device, admin] = [await registerDevice(application.url, owner), await insertAccount(application)];
    const joins = `WITH o AS (INSERT INTO organizations (id, name) VALUES (gen_random_uuid(), 'House') RETURNING id), m AS (
        INSERT INTO memberships (organization_id, user_id, role) SELECT id, $2, 'MANAGER' FROM o)
      UPDATE devices SET organization_id = o.id FROM o WHERE devices.id = $1`;
    await application.rows(joins, [device.id, admin.id]);
    const used = await newCode(device.id, admin);
    expect((await activate(device.id, used)).status).toBe(200);
    const kept = await newCode(device.id, admin);
    await application.rows('DELETE FROM memberships WHERE user_id = $1', [admin.id]);
    const answers = [await activate(device.id, kept), await activate(device.id, used)];
    const told = answers.map(({ body }) => ({ ...body, requestId: '', timestamp: '' }));
    expect(told[0]).toMatchObject({ status: 422, code: 'invalid_activation_code' });
    expect(told[0]).toEqual(told[1]);
    expect((await activate(device.id, await newCode(device.id))).status).toBe(200);
  });

  it('by one of two at the same instant', async () => {
    const device = await registerDevice(application.url, owner);
    const code = await newCode(device.id);
    const answers = await Promise.all([activate(device.id, code), activate(device.id, code)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
  });

  it('although strangers guess at it from another address', async () => {
    const device = await registerDevice(application.url, owner);
    const code = await newCode(device.id);
    const guesses: number[] = [];
    for (let guess = 0; guess < 12; guess++) {
      guesses.push((await activate(device.id, 'guess', '203.0.113.9')).status);
    }
    expect(guesses.filter((status) => status === 422)).toHaveLength(10);
    expect(guesses.at(-1)).toBe(429);
    expect((await activate(device.id, code, '192.0.2.77')).status).toBe(200);
  });

  it('shows its code as a QR code to those who administer it, and keeps it encrypted', async () => {
    const device = await registerDevice(application.url, owner);
    const key = { 'idempotency-key': randomUUID() };
    const first = await ask<Code>(owner, 'POST', `/${device.id}/activation-code`, undefined, key);
    const again = await ask<Code>(owner, 'POST', `/${device.id}/activation-code`, undefined, key);
    expect([typeof first.body.activation?.code, again.body.activation]).toEqual(['string', null]);
    const code = String(first.body.activation?.code);
    const image = async (format: string): Promise<[string | null, string | null, Buffer]> => {
      const response = await fetch(`${application.url}/api/v1/devices/${device.id}/qr?format=${format}`, {
        headers: { authorization: `Bearer ${owner.accessToken}` },
      });
      const { headers } = response;
      return [headers.get('content-type'), headers.get('cache-control'), Buffer.from(await response.arrayBuffer())];
    };
    const [svg, png] = [await image('svg'), await image('png')];
    expect(svg.slice(0, 2)).toEqual(['image/svg+xml', 'no-store']);
    expect(png.slice(0, 2)).toEqual(['image/png', 'no-store']);
    const u = 'https://locks.example.com/api/v1/devices/activate';
    const text = JSON.stringify({ v: 1, b: BROKER_URL, d: device.id, c: code, u });
    const shown = modulesOfText(text);
    expect(modulesOfSvg(svg[2].toString())).toBe(shown);
    expect(modulesOfPng(png[2])).toBe(shown);
    // It is a look that changes nothing: the code still works.
    const [stored] = await application.rows<{ row: string }>(
      `SELECT encode(code_hash || sealed, 'escape') AS row FROM device_activations WHERE device_id = $1`,
      [device.id],
    );
    expect(stored?.row).not.toContain(code.slice(0, 9));
    for (const [method, path] of [
      ['GET', 'qr'],
      ['POST', 'activation-code'],
      ['POST', 'token/rotate'],
      ['POST', 'token/revoke'],
    ] as const) {
      expect((await ask(stranger, method, `/${device.id}/${path}`, method === 'POST' ? {} : undefined)).status).toBe(
        404,
      );
    }
    // All that a device needs is in it: it activates itself with what it read, and connects.
    const read = JSON.parse(text) as { d: string; c: string; u: string };
    const { status, body } = await request<{ deviceToken: string }>(application.url, 'POST', new URL(read.u).pathname, {
      body: { deviceId: read.d, code: read.c },
      headers: { 'x-forwarded-for': '192.0.2.1' },
    });
    expect([status, await connects({ id: read.d, token: body.deviceToken })]).toEqual([200, true]);
  });
});

describe('A token is rotated', () => {
  it('and the older ones are good until the overlap ends, when their connections do', async () => {
    const device = await registerDevice(application.url, owner);
    const line = await ScriptedDevice.connect(application.mqttUrl, device);
    const rotate = (
      body: object,
      headers = {},
    ): Promise<Answer<{ deviceToken: string | null; olderUntil: string | null }>> =>
      ask(owner, 'POST', `/${device.id}/token/rotate`, body, headers);
    const key = { 'idempotency-key': randomUUID() };
    const first = await rotate({}, key);
    expect((await rotate({}, key)).body).toEqual({ deviceId: device.id, deviceToken: null, olderUntil: null });
    const hours = (Date.parse(first.body.olderUntil ?? '') - Date.now()) / 3_600_000;
    expect([hours > 0.9, hours < 1.1]).toEqual([true, true]);
    const newer = { id: device.id, token: first.body.deviceToken ?? '' };
    expect([await connects(device), await connects(newer)]).toEqual([true, true]);
    const kept = await ScriptedDevice.connect(application.mqttUrl, newer, { clientId: 'kept' });
    // The end comes without anybody's doing: no signal tells of it.
    await application.rows(END_OVERLAP, [device.id]);
    expect(await closedAfter(line)).toBeLessThan(KICKED_WITHIN_MS);
    expect([await connects(device), await connects(newer), kept.client.connected]).toEqual([false, true, true]);
    const last = await rotate({ overlapSeconds: 0 });
    expect(last.body.olderUntil).toBeNull();
    expect(await closedAfter(kept)).toBeLessThan(KICKED_WITHIN_MS);
    expect([await connects(newer), await connects({ id: device.id, token: last.body.deviceToken ?? '' })]).toEqual([
      false,
      true,
    ]);
    for (const overlapSeconds of [-1, 604_801, 1.5, '60', null]) {
      expect((await rotate({ overlapSeconds })).status).toBe(400);
    }
  });

  it('again and again without piling up', async () => {
    const device = await registerDevice(application.url, owner);
    for (let turn = 0; turn < 7; turn++) {
      await ask(owner, 'POST', `/${device.id}/token/rotate`, { overlapSeconds: 604_800 });
    }
    const valid = 'SELECT 1 FROM device_credentials WHERE device_id = $1 AND revoked_at IS NULL';
    expect(await application.rows(valid, [device.id])).toHaveLength(5);
  });
});

/** How a token ends while its device gets another one. @returns the new one */
const ENDINGS: readonly ((id: string) => Promise<string>)[] = [
  async (id) => (await ask<Renewed>(owner, 'POST', `/${id}/token/rotate`, { overlapSeconds: 0 })).body.deviceToken,
  async (id) => {
    const { body } = await ask<Renewed>(owner, 'POST', `/${id}/token/rotate`, {});
    await application.rows(END_OVERLAP, [id]);
    return body.deviceToken;
  },
  async (id) => (await activate(id, await newCode(id), `2001:db8:${id.slice(0, 4)}::1`)).body.deviceToken,
];

it('a connection whose token ended leaves no link that takes orders', async () => {
  const shown = async ({ id }: RegisteredDevice): Promise<unknown[]> => {
    const sql = `SELECT status, ARRAY(SELECT kind::text FROM device_links WHERE device_id = d.id) AS links, ARRAY(
        SELECT concat_ws(' ', type, payload->>'reason') FROM events WHERE device_id = d.id AND type LIKE '%connected' ORDER BY xid, id
      ) AS comings FROM devices d WHERE id = $1`;
    const [row] = await application.rows<{ status: string; links: string[]; comings: string[] }>(sql, [id]);
    return [row?.status, row?.links, row?.comings];
  };
  const ended = async (end: (id: string) => Promise<string>): Promise<void> => {
    const register = (): Promise<RegisteredDevice> => registerDevice(application.url, owner);
    const [away, back, boot] = [await register(), await register(), randomUUID()];
    const bear = (device: RegisteredDevice) => ScriptedDevice.born(application.mqttUrl, device, boot);
    const [gone, older] = [await bear(away), await bear(back)];
    for (const device of [away, back]) {
      await eventually('it is online', async () => (await shown(device))[0] === 'online');
    }
    const [closed, replaced] = [closedAfter(gone), older.closed()];
    const [token] = await Promise.all([end(back.id), end(away.id)]);
    await replaced;
    const newer = await bear({ id: back.id, token });
    expect(await closed).toBeLessThan(KICKED_WITHIN_MS);
    await eventually('it is offline', async () => (await shown(away))[0] === 'offline', 1_000);
    expect(await shown(away)).toEqual(['offline', [], ['device_connected', 'device_disconnected token_ended']]);
    const key = { 'idempotency-key': randomUUID() };
    const order = await ask(owner, 'POST', `/${away.id}/commands`, { name: 'unlock_door' }, key);
    expect([order.status, order.body.code]).toEqual([409, 'device_offline']);
    // The other one was back at once with its new token and the same boot.
    expect([...(await shown(back)), newer.client.connected]).toEqual(['online', ['mqtt'], ['device_connected'], true]);
    await newer.end();
  };
  await Promise.all(ENDINGS.map(ended));
});

describe('Revocation', () => {
  it('ends every token and code, and the device is offline at once', async () => {
    const device = await registerDevice(application.url, owner);
    const line = await ScriptedDevice.born(application.mqttUrl, device, randomUUID());
    const status = async (): Promise<unknown> => (await ask(owner, 'GET', `/${device.id}`)).body.status;
    await eventually('it is online', async () => (await status()) === 'online');
    const code = await newCode(device.id);
    const closed = closedAfter(line);
    expect((await ask(owner, 'POST', `/${device.id}/token/revoke`)).status).toBe(204);
    expect(await closed).toBeLessThan(KICKED_WITHIN_MS);
    expect([await status(), await connects(device)]).toEqual(['offline', false]);
    expect((await activate(device.id, code)).status).toBe(422);
    // It comes back by a rotation, or by a new code.
    const rotated = await ask<Renewed>(owner, 'POST', `/${device.id}/token/rotate`, {});
    expect(await connects({ id: device.id, token: rotated.body.deviceToken })).toBe(true);
    const { body } = await activate(device.id, await newCode(device.id));
    expect(await connects({ id: device.id, token: body.deviceToken })).toBe(true);
  });
});

it('hardware ids are compared by the database as by the application', async () => {
  const spellings = ['aa:bb', 'AA-BB', 'a_a.b b', 'SN 12', 'x--..__  y'];
  const rows = await application.rows<{ key: string }>(
    'SELECT hardware_key(s) AS key FROM unnest($1::text[]) WITH ORDINALITY AS t(s, place) ORDER BY place',
    [spellings],
  );
  expect(rows.map(({ key }) => key)).toEqual(spellings.map(hardwareKey));
});
