import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { HeartbeatBuffer } from '../../src/features/presence/heartbeat-buffer.js';
import { PresenceService } from '../../src/features/presence/presence.service.js';
import { StatusQueue } from '../../src/features/presence/status-queue.js';
import { insertAccount } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { TestApp } from '../support/test-app.js';

const HOUR = 3_600_000;

let app: TestApp;
let owner: Awaited<ReturnType<typeof insertAccount>>;
let presence: PresenceService;
let id: string;
let boot: string;

beforeAll(async () => {
  app = await TestApp.start({ env: { ROLES: 'api,hardware' } });
  owner = await insertAccount(app);
  presence = app.get(PresenceService);
}, 60_000);

afterAll(() => app.stop());

/** A lock that was born half a minute ago, and heard through another process ten seconds ago. */
beforeEach(async () => {
  ({ id } = await registerDevice(app.url, owner));
  boot = randomUUID();
  await presence.openLink(id, 'mqtt', { boot, uptimeMs: HOUR, lockState: 'unlocked' });
  await app.rows(
    `UPDATE device_links SET connected_at = now() - interval '30 s', last_seen_at = now() - interval '10 s' WHERE device_id = $1`,
    [id],
  );
  await app.rows(`UPDATE devices SET boot_reported_at = now() - interval '10 s' WHERE id = $1`, [id]);
});

async function state(): Promise<object | undefined> {
  const [row] = await app.rows<object>(
    `SELECT d.status, d.boot, d.lock_state AS bolt, d.boot_uptime_ms::float8 AS uptime, l.boot AS link
     FROM devices d LEFT JOIN device_links l ON l.device_id = d.id WHERE d.id = $1`,
    [id],
  );
  return row;
}

const will = (waitedMs: number): Promise<void> => presence.closeLink(id, 'mqtt', { boot, waitedMs }, 'will');

describe('A message that may have waited in a hung process', () => {
  it.each<[string, number, string, object]>([
    ['leaves a link on which something has arrived since it can have been sent', 20_000, '', { status: 'online' }],
    ['closes one on which nothing has', 6_000, '', { status: 'offline' }],
    ['leaves a link that was born again since, even much later', 20_000, 'reborn_at', { status: 'online' }],
    ['closes a link that was heard just now when the will did not wait', 0, '', { status: 'offline' }],
  ])('as a will %s', async (_what, waitedMs, column, expected) => {
    if (column !== '') {
      await app.rows(
        `UPDATE device_links SET ${column} = now() - interval '12 s', last_seen_at = now() - interval '40 s' WHERE device_id = $1`,
        [id],
      );
    }
    await will(waitedMs);
    expect(await state()).toMatchObject(expected);
  });

  it('as the end of a connection leaves a link that was born again well after that connection was', async () => {
    const end = (bornMsAgo: number): Promise<void> =>
      presence.closeLink(id, 'mqtt', { boot, waitedMs: 0, bornMsAgo }, 'will');
    // Since the birth of the connection that ends, half a minute ago, another process has received one.
    await app.rows(`UPDATE device_links SET reborn_at = now() - interval '20 s' WHERE device_id = $1`, [id]);
    await end(30_000);
    expect(await state()).toMatchObject({ status: 'online', link: boot });
    await end(20_000);
    expect(await state()).toMatchObject({ status: 'offline', link: null });
  });

  it('as the birth of another boot changes nothing when the present one was heard since it can have been sent', async () => {
    const other = randomUUID();
    await presence.openLink(id, 'mqtt', { boot: other, uptimeMs: 9 * HOUR, waitedMs: 20_000 });
    expect(await state()).toMatchObject({ boot, link: boot });
    await presence.openLink(id, 'mqtt', { boot: other, uptimeMs: 1_000, waitedMs: 6_000 });
    expect(await state()).toMatchObject({ boot: other, link: other });
  });

  it('as a birth of the present boot that was sent before its newest report says nothing of the bolt', async () => {
    const birth = { boot, lockState: 'locked', waitedMs: 20_000 } as const;
    await presence.openLink(id, 'mqtt', { ...birth, uptimeMs: HOUR - 12_000 });
    expect(await state()).toMatchObject({ bolt: 'unlocked', uptime: HOUR - 12_000, status: 'online' });
    await presence.openLink(id, 'mqtt', { ...birth, uptimeMs: HOUR + 1_000 });
    expect(await state()).toMatchObject({ bolt: 'locked', uptime: HOUR + 1_000 });
  });

  it('as a heartbeat opens no link, and nothing counts that may have waited for more than a minute', async () => {
    await will(0);
    presence.heartbeat(id, 'mqtt', { boot, uptimeMs: HOUR + 5_000, waitedMs: 20_000 });
    await app.get(HeartbeatBuffer).flush();
    expect(await state()).toMatchObject({ status: 'offline', link: null, uptime: HOUR + 5_000 });

    presence.heartbeat(id, 'mqtt', { boot, uptimeMs: HOUR + 6_000, waitedMs: 60_001 });
    await app.get(HeartbeatBuffer).flush();
    const birth = { boot, uptimeMs: HOUR + 7_000, waitedMs: 60_001 };
    await app.get(StatusQueue).report(id, 'mqtt', { online: true, birth });
    expect(await state()).toMatchObject({ status: 'offline', link: null, uptime: HOUR + 5_000 });
    expect(await app.metric('mortise_mqtt_messages_refused_total{code="waited_too_long"}')).toBe(2);

    presence.heartbeat(id, 'mqtt', { boot, uptimeMs: HOUR + 8_000 });
    await app.get(HeartbeatBuffer).flush();
    expect(await state()).toMatchObject({ status: 'online', link: boot });
  });
});
