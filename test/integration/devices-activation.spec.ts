/** Devices get their first token, and a new one, by a code that works once, which people copy or show as a QR code. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { closedAfter, CLOSED_WITHIN_MS, CredentialsFixture, type IssuedCode } from '../support/credentials.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { modulesOfPng, modulesOfSvg, modulesOfText } from '../support/qr-modules.js';
import { request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import type { TestApp } from '../support/test-app.js';

const BROKER_URL = 'mqtts://broker.example.com:8883';

let fixture: CredentialsFixture;
let application: TestApp;
let owner: InsertedAccount;
let stranger: InsertedAccount;
let ask: CredentialsFixture['ask'];

beforeAll(async () => {
  fixture = await CredentialsFixture.start({ MQTT_PUBLIC_URL: BROKER_URL, PUBLIC_URL: 'https://locks.example.com/' });
  ({ application, owner, ask } = fixture);
  stranger = await insertAccount(application);
}, 60_000);

afterAll(() => fixture.stop());

describe('A device is activated', () => {
  it('by a code that works once, and every earlier token ends with its connections', async () => {
    const device = await registerDevice(application.url, owner);
    const line = await ScriptedDevice.born(application.mqttUrl, device, randomUUID());
    const [stale, code] = [await fixture.newCode(device.id), await fixture.newCode(device.id)];
    const closed = closedAfter(line);
    const wrong = await Promise.all([
      fixture.activate(device.id, stale),
      fixture.activate(device.id, 'x'),
      fixture.activate(randomUUID(), code),
      fixture.activate('no id', code),
    ]);
    // Seen to fail: its MQTT username was answered as it was typed, in capitals, which the broker refuses.
    const typed = [device.id.toUpperCase(), ` ${code.toLowerCase().replaceAll('-', '')} `] as const;
    const { status, body, headers } = await fixture.activate(...typed);
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({
      deviceId: device.id,
      deviceToken: expect.stringMatching(/^[\w-]{43}$/),
      brokerUrl: BROKER_URL,
      orderKeys: expect.arrayContaining([expect.objectContaining({ alg: 'EdDSA' })]),
    });
    const refused = [...wrong, await fixture.activate(device.id, code)];
    expect(refused.map((answer) => [answer.status, answer.body.code])).toEqual(
      Array(5).fill([422, 'invalid_activation_code']),
    );
    expect(await application.metric('mortise_device_codes_refused_total{kind="activation"}')).toBe(5);
    expect(await closed).toBeLessThan(CLOSED_WITHIN_MS);
    expect([
      await fixture.connects(device),
      await fixture.connects({ id: device.id, token: body.deviceToken }),
    ]).toEqual([false, true]);
    const { items } = (await ask<{ items: object[] }>(owner, 'GET', `/${device.id}/events?type=device_activated`)).body;
    expect(items).toEqual([expect.objectContaining({ actor: `device:${device.id}`, source: 'http' })]);
  });

  it('by no code that has expired, by the clock of the database', async () => {
    const device = await registerDevice(application.url, owner);
    const code = await fixture.newCode(device.id);
    const expiry = `SELECT extract(epoch FROM expires_at - now())::float8 / 3600 AS hours FROM device_activations WHERE device_id = $1`;
    const [{ hours } = { hours: 0 }] = await application.rows<{ hours: number }>(expiry, [device.id]);
    expect(hours).toBeGreaterThan(23.9);
    await application.rows(`UPDATE device_activations SET expires_at = now() WHERE device_id = $1`, [device.id]);
    expect((await fixture.activate(device.id, code)).status).toBe(422);
    expect(await fixture.connects(device)).toBe(true);
    expect((await ask(owner, 'GET', `/${device.id}/qr`)).body).toMatchObject({ code: 'activation_code_not_found' });
  });

  /** Seen to fail without the look at who made it. */
  it('by a code of a person who administers it, and not once they do not', async () => {
    const [device, admin] = [await registerDevice(application.url, owner), await insertAccount(application)];
    const joins = `WITH o AS (INSERT INTO organizations (id, name) VALUES (gen_random_uuid(), 'House') RETURNING id), m AS (
        INSERT INTO memberships (organization_id, user_id, role) SELECT id, $2, 'MANAGER' FROM o)
      UPDATE devices SET organization_id = o.id FROM o WHERE devices.id = $1`;
    await application.rows(joins, [device.id, admin.id]);
    const used = await fixture.newCode(device.id, admin);
    expect((await fixture.activate(device.id, used)).status).toBe(200);
    const kept = await fixture.newCode(device.id, admin);
    await application.rows('DELETE FROM memberships WHERE user_id = $1', [admin.id]);
    const answers = [await fixture.activate(device.id, kept), await fixture.activate(device.id, used)];
    const told = answers.map(({ body }) => ({ ...body, requestId: '', timestamp: '' }));
    expect(told[0]).toMatchObject({ status: 422, code: 'invalid_activation_code' });
    expect(told[0]).toEqual(told[1]);
    expect((await fixture.activate(device.id, await fixture.newCode(device.id))).status).toBe(200);
  });

  it('by one of two at the same instant', async () => {
    const device = await registerDevice(application.url, owner);
    const code = await fixture.newCode(device.id);
    const answers = await Promise.all([fixture.activate(device.id, code), fixture.activate(device.id, code)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
  });

  it('although strangers guess at it from another address', async () => {
    const device = await registerDevice(application.url, owner);
    const code = await fixture.newCode(device.id);
    const guesses: number[] = [];
    for (let guess = 0; guess < 12; guess++) {
      guesses.push((await fixture.activate(device.id, 'guess', '203.0.113.9')).status);
    }
    expect(guesses.filter((status) => status === 422)).toHaveLength(10);
    expect(guesses.at(-1)).toBe(429);
    expect((await fixture.activate(device.id, code, '192.0.2.77')).status).toBe(200);
  });

  it('shows its code as a QR code to those who administer it, and keeps it encrypted', async () => {
    const device = await registerDevice(application.url, owner);
    const key = { 'idempotency-key': randomUUID() };
    const first = await ask<IssuedCode>(owner, 'POST', `/${device.id}/activation-code`, undefined, key);
    const again = await ask<IssuedCode>(owner, 'POST', `/${device.id}/activation-code`, undefined, key);
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
    expect([status, await fixture.connects({ id: read.d, token: body.deviceToken })]).toEqual([200, true]);
  });
});
