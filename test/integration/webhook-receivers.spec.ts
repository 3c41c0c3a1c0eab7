/** Receivers of webhooks that want nothing, hang or refuse: what follows for them, for others, and for administrators. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WebhookSettlementService } from '../../src/features/webhooks/sending/webhook-settlement.service.js';
import { insertAccount } from '../support/accounts.fixture.js';
import type { Letter, Letters } from '../support/queues.js';
import { insertEvents } from '../support/exports.fixture.js';
import { MailServer } from '../support/mail-server.js';
import type { Door } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';
import { type WebhookBody, WebhooksFixture } from '../support/webhooks.fixture.js';

let fixture: WebhooksFixture;
let receiver: WebhookReceiver;
let mails: MailServer;
let door: Door;

beforeAll(async () => {
  mails = await MailServer.start();
  [fixture, receiver] = await Promise.all([WebhooksFixture.start({ SMTP_URL: mails.url }), WebhookReceiver.start()]);
});

afterAll(async () => {
  await receiver.stop();
  await fixture.stop();
  await mails.stop();
});

beforeEach(async () => {
  receiver.react = () => 204;
  receiver.arrived.length = 0;
  door = await fixture.createDoor();
});

const happen = (count = 1, { id, ada } = door): Promise<void> =>
  insertEvents(fixture.sql, { deviceId: id, ownerId: ada.id }, count);

describe('an endpoint that wants nothing', () => {
  it('is disabled by 410 at once, says so, and is told of what happens after it is enabled again', async () => {
    const { id } = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    receiver.react = () => 410;
    await happen(2);
    const disabled = await eventually('it is disabled', async () => {
      const { body } = await fixture.request<{ state: string }>(door.ada, 'GET', `/webhooks/${id}`);
      return body.state === 'DISABLED' && body;
    });
    expect(disabled).toMatchObject({ disabledReason: 'gone' });
    await eventually('what waited failed', async () =>
      (await fixture.deliveriesOf(door.ada, id)).every(({ state }) => state === 'FAILED'),
    );
    const entries = await fixture.sql.rows(
      `SELECT 1 FROM audit_entries WHERE action = 'webhook_disabled' AND entity_id = $1`,
      [id],
    );
    expect(entries.length).toBe(1);
    const mail = await eventually('its person is told', () => mails.mails.find(({ to }) => to === door.ada.email));
    expect(mail.text).toContain(`/webhooks/${id}`);
    expect((await fixture.request(door.ada, 'POST', `/webhooks/${id}/test`)).body.code).toBe('webhook_disabled');
    await happen();
    receiver.react = () => 204;
    receiver.arrived.length = 0;
    expect((await fixture.request(door.ada, 'PATCH', `/webhooks/${id}`, { enabled: true })).body.state).toBe('ENABLED');
    await happen();
    await eventually('it arrived', () => receiver.arrived.length > 0);
    expect(receiver.arrived.length).toBe(1);
  });

  it('is disabled after three days without a taken one', async () => {
    const { id } = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    receiver.react = () => 'reset';
    await happen();
    await eventually(
      'it failed',
      async () => (await fixture.deliveriesOf(door.ada, id))[0]?.lastError === 'connection_failed',
    );
    await fixture.sql.rows(`UPDATE webhook_endpoints SET failing_since = now() - interval '3 days' WHERE id = $1`, [
      id,
    ]);
    await fixture.hurry();
    await eventually('it is disabled', async () => {
      const { body } = await fixture.request<{ disabledReason: string }>(door.ada, 'GET', `/webhooks/${id}`);
      return body.disabledReason === 'failing';
    });
  });

  it('is disabled when more waits for it than it will ever take', async () => {
    const { id } = await fixture.webhook(door.ada, { url: receiver.url });
    const other = await fixture.webhook(door.ada, { url: receiver.url });
    const fill = (webhookId: string, count: number): Promise<unknown> =>
      fixture.sql.rows(
        `INSERT INTO webhook_deliveries (id, endpoint_id, device_id, sequence, type, occurred_at, body, next_attempt_at)
         SELECT gen_random_uuid(), $1, $2, n, 'custom', now(), '{}', 'infinity' FROM generate_series(1, $3::int) n`,
        [webhookId, door.id, count],
      );
    await Promise.all([fill(id, 100_001), fill(other.id, 100_000)]);
    await fixture.application.get(WebhookSettlementService).disableOverfull();
    const reasons = await Promise.all(
      [id, other.id].map(async (one) => (await fixture.request<WebhookBody>(door.ada, 'GET', `/webhooks/${one}`)).body),
    );
    expect(reasons.map(({ disabledReason }) => disabledReason)).toEqual(['overfull', null]);
    await fixture.sql.rows('DELETE FROM webhook_deliveries');
  });

  it('is tried at once at another address, whatever the one before did', async () => {
    const { id } = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    receiver.react = () => 503;
    await happen();
    await eventually('it has failed', async () => {
      const [waiting] = await fixture.deliveriesOf(door.ada, id);
      return waiting?.attempts === 1 && waiting.lastStatus === 503;
    });
    receiver.react = () => 204;
    receiver.arrived.length = 0;
    await fixture.sql.rows(
      `UPDATE webhook_deliveries SET next_attempt_at = now() + interval '4 hours' WHERE endpoint_id = $1`,
      [id],
    );
    await fixture.sql.rows(
      `UPDATE webhook_endpoints SET failures = 9, failing_since = now() - interval '2 days',
         paused_until = now() + interval '5 minutes' WHERE id = $1`,
      [id],
    );
    const change = (body: object): Promise<{ body: WebhookBody }> =>
      fixture.request<WebhookBody>(door.ada, 'PATCH', `/webhooks/${id}`, body);
    expect((await change({ description: 'Front desk' })).body.failures).toBe(9);
    expect((await change({ url: `${receiver.url}/new` })).body.failures).toBe(0);
    await eventually('what waited for another attempt arrived', () => receiver.arrived.length > 0);
  });
});

describe('a receiver that hangs', () => {
  it('has two slots, however many deliveries wait for it: others are told in a moment', async () => {
    const hanging = await WebhookReceiver.start();
    hanging.react = () => 'hang';
    const doors = await Promise.all(Array.from({ length: 8 }, () => fixture.registerDevice(door.ada)));
    await fixture.webhook(door.ada, { url: hanging.url, deviceIds: doors.map(({ id }) => id) });
    await fixture.webhook(door.grace, { url: receiver.url, eventTypes: ['device_registered'] });
    await Promise.all(doors.map(({ id }) => insertEvents(fixture.sql, { deviceId: id, ownerId: door.ada.id }, 1)));
    await eventually('it hangs', () => hanging.arrived.length >= 2);
    const tookMs: number[] = [];
    for (let n = 1; n <= 5; n += 1) {
      const began = performance.now();
      await fixture.registerDevice(door.grace);
      await eventually('it arrived', () => receiver.arrived.length >= n);
      tookMs.push((receiver.arrived[n - 1]?.at ?? Infinity) - began);
    }
    expect(Math.max(...tookMs)).toBeLessThan(5_000);
    expect(hanging.arrived.length).toBe(2);
    await hanging.stop();
  });

  it('at many addresses has no more than four of ten slots for its owner', async () => {
    const hanging = await Promise.all(Array.from({ length: 6 }, () => WebhookReceiver.start()));
    const doors = await Promise.all([1, 2].map(() => fixture.registerDevice(door.ada)));
    for (const one of hanging) {
      one.react = () => 'hang';
      await fixture.webhook(door.ada, { url: one.url, deviceIds: doors.map(({ id }) => id), eventTypes: ['custom'] });
    }
    await fixture.webhook(door.grace, { url: receiver.url, eventTypes: ['device_registered'] });
    await Promise.all(doors.map(({ id }) => insertEvents(fixture.sql, { deviceId: id, ownerId: door.ada.id }, 1)));
    const arrived = (): number => hanging.reduce((sum, one) => sum + one.arrived.length, 0);
    await eventually('four hang', () => arrived() >= 4);
    const began = performance.now();
    await fixture.registerDevice(door.grace);
    await eventually('another owner is told', () => receiver.arrived.length > 0);
    expect((receiver.arrived[0]?.at ?? Infinity) - began).toBeLessThan(5_000);
    expect(arrived()).toBe(4);
    await Promise.all(hanging.map((one) => one.stop()));
  });

  it('of three owners at many addresses leaves slots for endpoints that answer', async () => {
    await fixture.webhook(door.grace, { url: receiver.url, eventTypes: ['device_registered'] });
    await fixture.registerDevice(door.grace);
    await eventually('it answers', () => receiver.arrived.length > 0);
    const hanging = await Promise.all(Array.from({ length: 12 }, () => WebhookReceiver.start()));
    const doors = await Promise.all([1, 2, 3].map(() => fixture.createDoor()));
    for (const [index, one] of hanging.entries()) {
      one.react = () => 'hang';
      await fixture.webhook(doors[index % 3]!.ada, { url: one.url, eventTypes: ['custom'] });
    }
    await Promise.all(doors.map((one) => happen(1, one)));
    const arrived = (): number => hanging.reduce((sum, one) => sum + one.arrived.length, 0);
    await eventually('five hang', () => arrived() >= 5);
    const began = performance.now();
    await fixture.registerDevice(door.grace);
    await eventually('the one that answers is told', () => receiver.arrived.length > 1);
    expect((receiver.arrived[1]?.at ?? Infinity) - began).toBeLessThan(5_000);
    expect(arrived()).toBe(5);
    await Promise.all(hanging.map((one) => one.stop()));
  });
});

describe('a delivery that was given up', () => {
  it('is among the dead letters of administrators, who have it sent again, or put it aside', async () => {
    const admin = await insertAccount(fixture.application, { role: 'ADMIN' });
    const { id } = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    receiver.react = () => 410;
    await happen(2);
    const lettersOf = async (): Promise<Letter[]> => {
      const path = '/admin/queues/webhooks/dead-letters?limit=100';
      const { body } = await fixture.request<Letters>(admin, 'GET', path);
      return body.items.filter(({ recipient }) => recipient === door.ada.id);
    };
    const letters = await eventually('both failed', async () => {
      const found = await lettersOf();
      return found.length === 2 && found;
    });
    expect(letters.map(({ error }) => error)).toContain('http_status 410');
    const [first, second] = letters as [Letter, Letter];
    const act = (
      method: string,
      letter: { id: string },
      action = '',
    ): Promise<{ status: number; body: { code?: string } }> =>
      fixture.request(admin, method, `/admin/queues/webhooks/dead-letters/${letter.id}${action}`);
    expect((await act('POST', first, '/replay')).body.code).toBe('dead_letter_not_replayable');
    receiver.react = () => 204;
    await fixture.request(door.ada, 'PATCH', `/webhooks/${id}`, { enabled: true });
    expect((await act('POST', first, '/replay')).status).toBe(204);
    expect(await fixture.ended(door.ada, id, first.id)).toMatchObject({ state: 'DELIVERED' });
    expect((await act('POST', first, '/replay')).body.code).toBe('dead_letter_not_found');
    expect((await act('DELETE', second)).status).toBe(204);
    expect(await lettersOf()).toEqual([]);
    expect((await act('DELETE', second)).status).toBe(404);
    // Its owner has it still.
    expect(await fixture.ended(door.ada, id, second.id)).toMatchObject({ state: 'FAILED' });
    const path = `/webhooks/${id}/deliveries/${second.id}/replay`;
    expect((await fixture.request(door.ada, 'POST', path)).status).toBe(202);
    expect(await fixture.ended(door.ada, id, second.id)).toMatchObject({ state: 'DELIVERED' });
    expect((await fixture.request(door.ada, 'GET', '/admin/queues/webhooks/dead-letters')).status).toBe(403);
  });
});
