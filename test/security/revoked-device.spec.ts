/**
 * P-16: a revoked device is gone, with the embedded broker: kicked within two seconds, and nothing that it says after its
 * revocation is stored, what was in hand included. The devices are deleted, or revoked by their owner; of others only the
 * database knows that their token was revoked, as if the signal had been lost, or has expired, which no signal tells.
 * Seen to fail: with the check of all connections every five seconds (4.2 s), without the condition on the token where
 * events are stored, and with tokens that may change while they are (4 stored after). And with receipts locked before their
 * device: deletions of talking devices answered 503.
 * With births and heartbeats that read the token in the statement that waits for the device: 4 of 4 stored after a revocation.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deviceTopic } from '../../src/contracts/mqtt.js';
import { type InsertedAccount, insertAccount } from '../support/accounts.fixture.js';
import { type RegisteredDevice, registerDevice } from '../support/devices.fixture.js';
import { recordFigure, scaled } from '../support/promise.js';
import { request } from '../support/rest.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const DEVICES = scaled(16, 800);
const AT_ONCE = 10;
const KICKED_WITHIN_MS = 2_000;
const WAYS = ['deleted', 'revoked by its owner', 'in the database', 'at the end of an overlap'] as const;
type Way = (typeof WAYS)[number];
const SEND_EVERY_MS = 20;
/** A busy machine may be slow once. */
const LOOKS = scaled(2, 1);

let application: TestApp;
let owner: InsertedAccount;

beforeAll(async () => {
  application = await TestApp.start();
  owner = await insertAccount(application);
}, 60_000);

afterAll(() => application.stop());

const dbTime = async (): Promise<string> =>
  (await application.rows<{ at: string }>('SELECT clock_timestamp()::text AS at'))[0]?.at ?? '';

/** Sends events, births, heartbeats and acks without a pause, until it is kicked. */
async function talk(line: ScriptedDevice): Promise<void> {
  for (let seq = 1; line.client.connected; seq++) {
    const { boot } = line;
    const messages: [string, object][] = [
      ['events', { boot, seq, type: 'custom', data: { seq } }],
      ['status', { online: true, boot, uptimeMs: seq }],
      ['heartbeat', { boot, uptimeMs: seq }],
      ['acks', { commandId: randomUUID(), status: 'executed' }],
    ];
    for (const [channel, message] of messages) {
      line.client.publish(deviceTopic(line.id, channel as 'events'), JSON.stringify(message), { qos: 1 });
    }
    await pause(SEND_EVERY_MS);
  }
}

async function revoke(device: RegisteredDevice, how: Way): Promise<void> {
  if (how === 'revoked by its owner') {
    const path = `/api/v1/devices/${device.id}/token/revoke`;
    expect((await request(application.url, 'POST', path, { token: owner.accessToken })).status).toBe(204);
  } else if (how === 'at the end of an overlap') {
    await application.rows('UPDATE device_credentials SET expires_at = now() WHERE device_id = $1', [device.id]);
  } else if (how === 'deleted') {
    const { status } = await request(application.url, 'DELETE', `/api/v1/devices/${device.id}`, {
      token: owner.accessToken,
    });
    expect(status).toBe(204);
  } else {
    await application.rows('UPDATE device_credentials SET revoked_at = now() WHERE device_id = $1', [device.id]);
  }
}

/** @returns the milliseconds until it was kicked, and what was stored of what it said afterwards. */
async function revokeTalking(how: Way): Promise<{ kickedMs: number; stored: number }> {
  const device = await registerDevice(application.url, owner);
  const line = await ScriptedDevice.born(application.mqttUrl, device, randomUUID());
  const talking = talk(line);
  await eventually('it is heard', () => line.receipts().some(({ seq }) => seq >= 10));
  await revoke(device, how);
  const begun = performance.now();
  const closed = line.closed().then(() => performance.now());
  const at = await dbTime();
  const kickedMs = (await closed) - begun;
  await talking;
  await expect(ScriptedDevice.connect(application.mqttUrl, device)).rejects.toBeInstanceOf(Error);
  // More than one turn of everything that holds something back: gaps, heartbeats, batches.
  await pause(1_500);
  const [row] = await application.rows<{ stored: number }>(
    `SELECT (SELECT count(*) FROM events WHERE device_id = $1 AND actor = 'device:' || $1 AND received_at > $2::timestamptz)::int
       + (SELECT count(*) FROM devices WHERE id = $1::uuid AND last_seen_at > $2::timestamptz)::int AS stored`,
    [device.id, at],
  );
  return { kickedMs, stored: row?.stored ?? 0 };
}

describe('P-16: a revoked device is gone', () => {
  it.each(WAYS)(
    'kicked in time, and nothing of it is stored: %s',
    async (how) => {
      let slowest = Infinity;
      for (let look = 0; look < LOOKS && slowest >= KICKED_WITHIN_MS; look++) {
        const outcomes: Awaited<ReturnType<typeof revokeTalking>>[] = [];
        for (let done = 0; done < DEVICES / WAYS.length; done += AT_ONCE) {
          const some = Array.from({ length: Math.min(AT_ONCE, DEVICES / WAYS.length - done) }, () =>
            revokeTalking(how),
          );
          outcomes.push(...(await Promise.all(some)));
        }
        slowest = Math.max(...outcomes.map(({ kickedMs }) => kickedMs));
        const stored = outcomes.reduce((sum, outcome) => sum + outcome.stored, 0);
        recordFigure({
          promise: 'P-16',
          shown: `Devices revoked while they talked, ${how}.`,
          n: outcomes.length,
          figure: `kicked after ${slowest.toFixed(0)} ms at most, ${String(stored)} messages stored after`,
        });
        expect(stored).toBe(0);
      }
      expect(slowest).toBeLessThan(KICKED_WITHIN_MS);
      await eventually('the database still answers', async () => (await application.rows('SELECT 1')).length === 1);
    },
    scaled(60_000, 600_000),
  );
});
