/** Webhooks as those who manage them see them, and as their receivers do. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { insertEvents } from '../support/exports.fixture.js';
import type { Door } from '../support/sharing.fixture.js';
import { eventually } from '../support/wait.js';
import { isVerified, WebhookReceiver } from '../support/webhook-receiver.js';
import { WebhooksFixture } from '../support/webhooks.fixture.js';

let fixture: WebhooksFixture;
let receiver: WebhookReceiver;
let door: Door;

beforeAll(async () => {
  [fixture, receiver] = await Promise.all([WebhooksFixture.start(), WebhookReceiver.start()]);
});

afterAll(async () => {
  await receiver.stop();
  await fixture.stop();
});

beforeEach(async () => {
  receiver.react = () => 204;
  receiver.arrived.length = 0;
  door = await fixture.createDoor();
});

const happen = (count = 1, { id, ada } = door): Promise<void> =>
  insertEvents(fixture.sql, { deviceId: id, ownerId: ada.id }, count);
const numbersOf = (deviceId = door.id): unknown[] =>
  receiver.of({ deviceId }).map(({ message }) => message.data.payload?.number);

describe('a webhook', () => {
  it('is posted what its person sees from then on, signed, in the words of the history', async () => {
    await happen();
    const { id, secret } = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    await happen(3);
    await eventually('three arrived', () => receiver.arrived.length >= 3);
    expect(receiver.arrived.map(({ message }) => message.sequence)).toEqual([1, 2, 3]);
    expect(receiver.arrived.every((one) => isVerified(secret, one))).toBe(true);
    const history = await fixture.request<{ items: unknown[] }>(door.ada, 'GET', `/devices/${door.id}/events?limit=1`);
    expect(receiver.arrived[2]?.message.data).toEqual(history.body.items[0]);
    expect(receiver.arrived[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Mortise\//),
    });
    const [first] = receiver.arrived;
    expect(isVerified(secret, { ...first!, text: first!.text.replace('"type"', '"Type"') })).toBe(false);
    const log = await fixture.deliveriesOf(door.ada, id);
    expect(log.map(({ state, sequence, lastStatus }) => ({ state, sequence, lastStatus }))).toEqual(
      [3, 2, 1].map((sequence) => ({ state: 'DELIVERED', sequence, lastStatus: 204 })),
    );
    expect(log.map((one) => one.id)).toEqual(receiver.arrived.map((one) => one.id).reverse());
  });

  it('tells of the types and devices that it names, and of no others', async () => {
    const other = await fixture.registerDevice(door.ada);
    const named = { url: receiver.url, eventTypes: ['custom'], deviceIds: [door.id] };
    const { id } = await fixture.webhook(door.ada, named);
    await insertEvents(fixture.sql, { deviceId: other.id, ownerId: door.ada.id }, 2);
    await fixture.request(door.ada, 'PATCH', `/devices/${door.id}`, { name: 'Back door' });
    await happen();
    await eventually('one arrived', () => receiver.arrived.length > 0);
    expect(receiver.arrived.map(({ message }) => [message.type, message.data.deviceId])).toEqual([['custom', door.id]]);
    await fixture.request(door.ada, 'PATCH', `/webhooks/${id}`, { deviceIds: [], eventTypes: ['device_updated'] });
    await fixture.request(door.ada, 'PATCH', `/devices/${other.id}`, { name: 'Side door' });
    await happen();
    await eventually('another arrived', () => receiver.arrived.length > 1);
    expect(receiver.arrived[1]?.message).toMatchObject({ type: 'device_updated', data: { deviceId: other.id } });
  });

  it('of a guest tells what the share permits, until it ends: also of what waits by then', async () => {
    const { body: share } = await fixture.share(door.ada, door.id, door.guest, { permission: 'view' });
    const hers = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    const his = await fixture.webhook(door.guest, { url: `${receiver.url}/guest`, eventTypes: ['custom'] });
    const stranger = await fixture.webhook(door.grace, { url: `${receiver.url}/grace`, eventTypes: ['custom'] });
    await happen();
    await eventually('both arrived', () => receiver.arrived.length >= 2);
    receiver.react = ({ headers }) => (headers.host ? 503 : 204);
    await happen();
    await eventually('both were tried', async () =>
      (await Promise.all([fixture.deliveriesOf(door.ada, hers.id), fixture.deliveriesOf(door.guest, his.id)])).every(
        ([newest]) => newest?.lastStatus === 503,
      ),
    );
    expect((await fixture.request(door.ada, 'DELETE', `/devices/${door.id}/shares/${share.id}`)).status).toBe(204);
    receiver.react = () => 204;
    await fixture.hurry();
    const [newest] = await fixture.deliveriesOf(door.guest, his.id);
    expect(await fixture.ended(door.guest, his.id, newest!.id)).toMatchObject({
      state: 'FAILED',
      lastError: 'not_permitted',
    });
    await happen();
    await eventually('the owner is told', async () => {
      const deliveries = await fixture.deliveriesOf(door.ada, hers.id);
      return deliveries.length === 3 && deliveries.every(({ state }) => state === 'DELIVERED');
    });
    expect((await fixture.deliveriesOf(door.guest, his.id)).length).toBe(2);
    expect(await fixture.deliveriesOf(door.grace, stranger.id)).toEqual([]);
  });

  it('of an organization tells of its devices, and is managed by its managers', async () => {
    const { id: organizationId } = await fixture.createOrganization(door.ada);
    await fixture.addMember(door.grace, 'VIEWER', organizationId);
    const body = { url: receiver.url, eventTypes: ['custom'], organizationId };
    expect((await fixture.create(door.grace, body)).status).toBe(403);
    expect((await fixture.create(door.guest, body)).body.code).toBe('organization_not_found');
    const made = await fixture.webhook(door.ada, body);
    const hers = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    const delivered = async ({ id }: { id: string }): Promise<number> =>
      (await fixture.deliveriesOf(door.ada, id)).filter(({ state }) => state === 'DELIVERED').length;
    await happen();
    await eventually('the owner is told', async () => (await delivered(hers)) === 1);
    await fixture.request(door.ada, 'PATCH', `/devices/${door.id}`, { organizationId });
    await happen();
    await eventually('both are told', async () => (await delivered(hers)) === 2 && (await delivered(made)) === 1);
    expect((await fixture.deliveriesOf(door.ada, made.id)).length).toBe(1);
    expect((await fixture.request(door.grace, 'GET', `/webhooks/${made.id}`)).status).toBe(403);
    expect((await fixture.request(door.guest, 'GET', `/webhooks/${made.id}`)).body.code).toBe('webhook_not_found');
    await fixture.sql.rows(`UPDATE memberships SET role = 'MANAGER' WHERE user_id = $1`, [door.grace.id]);
    expect((await fixture.request(door.grace, 'GET', `/webhooks/${made.id}`)).status).toBe(200);
    const list = await fixture.request<{ items: { id: string }[] }>(
      door.grace,
      'GET',
      `/webhooks?organizationId=${organizationId}`,
    );
    expect(list.body.items.map(({ id }) => id)).toEqual([made.id]);
    expect((await fixture.request<{ items: unknown[] }>(door.grace, 'GET', '/webhooks')).body.items).toEqual([]);
  });

  it('is refused to inner addresses, to devices that are not seen, and beyond twenty', async () => {
    for (const url of [
      'http://8.8.8.8/',
      'https://10.0.0.1/',
      'https://user:pw@example.com/',
      'https://example.com/#part',
      'ftp://example.com/',
      'hooks',
    ]) {
      const { status, body } = await fixture.create(door.ada, { url });
      expect([url, status, body.code]).toEqual([url, 400, 'invalid_webhook_url']);
    }
    const foreign = await fixture.create(door.grace, { url: receiver.url, deviceIds: [door.id] });
    expect([foreign.status, foreign.body.code]).toEqual([404, 'not_found']);
    const made = await Promise.all(Array.from({ length: 24 }, () => fixture.create(door.ada, { url: receiver.url })));
    expect(made.map(({ status }) => status).sort()).toEqual([
      ...Array<number>(20).fill(201),
      ...Array<number>(4).fill(409),
    ]);
  });

  it('is made once under one idempotency key, and has one secret', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const [first, again] = [
      await fixture.create(door.ada, { url: receiver.url }, key),
      await fixture.create(door.ada, { url: receiver.url }, key),
    ];
    expect([again.body.id, again.body.secret]).toEqual([first.body.id, first.body.secret]);
    const read = await fixture.request(door.ada, 'GET', `/webhooks/${first.body.id}`);
    expect(Object.keys(read.body)).not.toContain('secret');
    const rows = await fixture.sql.rows<{ row: string }>('SELECT to_jsonb(w)::text AS row FROM webhook_endpoints w');
    expect(rows.some(({ row }) => row.includes(first.body.secret.slice(6)))).toBe(false);
  });

  it('is signed with the secret before as well, for as long as was asked', async () => {
    const { id, secret } = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    const rotate = (overlapHours: number): Promise<{ body: { secret: string } }> =>
      fixture.request<{ secret: string }>(door.ada, 'POST', `/webhooks/${id}/rotate-secret`, { overlapHours });
    const { secret: second } = (await rotate(1)).body;
    await happen();
    await eventually('it arrived', () => receiver.arrived.length === 1);
    const verifiedBy = (place: number, ...secrets: string[]): boolean[] =>
      secrets.map((one) => isVerified(one, receiver.arrived[place]!));
    expect(verifiedBy(0, secret, second)).toEqual([true, true]);
    const { secret: third } = (await rotate(0)).body;
    await happen();
    await eventually('it arrived', () => receiver.arrived.length === 2);
    expect(verifiedBy(1, secret, second, third)).toEqual([false, false, true]);
  });
});

describe('a delivery', () => {
  it('of a test is followed at its location, and may not be sent again', async () => {
    const { id } = await fixture.webhook(door.ada, { url: receiver.url });
    const asked = await fixture.request<{ id: string }>(door.ada, 'POST', `/webhooks/${id}/test`);
    expect([asked.status, asked.headers.get('location')]).toEqual([
      202,
      `/api/v1/webhooks/${id}/deliveries/${asked.body.id}`,
    ]);
    expect(await fixture.ended(door.ada, id, asked.body.id)).toMatchObject({
      state: 'DELIVERED',
      type: 'webhook_test',
    });
    expect(receiver.arrived[0]?.message).toMatchObject({ type: 'webhook_test', data: { webhookId: id } });
    const again = await fixture.request(door.ada, 'POST', `/webhooks/${id}/deliveries/${asked.body.id}/replay`);
    expect(again.body.code).toBe('webhook_delivery_not_repeatable');
  });

  it('that fails holds back the later ones of its device, and of no other; after five minutes they overtake it', async () => {
    const other = await fixture.registerDevice(door.ada);
    const { id } = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    receiver.react = ({ message }) =>
      message.data.deviceId === door.id && message.data.payload?.number === 1 ? 500 : 204;
    await happen(3);
    await insertEvents(fixture.sql, { deviceId: other.id, ownerId: door.ada.id }, 2);
    await eventually('those of the other door arrived', () => numbersOf(other.id).length === 2);
    await fixture.hurry();
    await eventually('it was tried again', () => numbersOf().length >= 2);
    expect(numbersOf().every((number) => number === 1)).toBe(true);
    await fixture.sql.rows(
      `UPDATE webhook_deliveries SET first_failed_at = first_failed_at - interval '5 minutes' WHERE endpoint_id = $1`,
      [id],
    );
    await eventually('later ones overtook it', () => numbersOf().includes(3));
    receiver.react = () => 204;
    await fixture.hurry();
    await eventually('all arrived', async () =>
      (await fixture.deliveriesOf(door.ada, id)).every(({ state }) => state === 'DELIVERED'),
    );
    const taken = receiver.of({ deviceId: door.id }).map(({ message }) => message.sequence);
    expect(taken.slice(-3)).toEqual([2, 3, 1]);
    // The same one each time, as a receiver knows by its id.
    expect(new Set(receiver.of({ deviceId: door.id }).map((one) => one.id)).size).toBe(3);
  });

  it('that ended is sent again under the same id, once however often it is asked for at once', async () => {
    const { id } = await fixture.webhook(door.ada, { url: receiver.url, eventTypes: ['custom'] });
    await happen();
    await eventually('it was delivered', async () => (await fixture.deliveriesOf(door.ada, id, '?state=DELIVERED'))[0]);
    const [delivery] = await fixture.deliveriesOf(door.ada, id);
    receiver.react = () => 503;
    const path = `/webhooks/${id}/deliveries/${delivery!.id}`;
    const asked = await Promise.all([1, 2, 3].map(() => fixture.request(door.ada, 'POST', `${path}/replay`)));
    expect(asked.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
    expect((await fixture.request(door.guest, 'POST', `${path}/replay`)).body.code).toBe('webhook_not_found');
    await eventually('it was tried', async () => (await fixture.deliveriesOf(door.ada, id))[0]?.lastStatus === 503);
    receiver.react = () => 204;
    await fixture.hurry();
    expect(await fixture.ended(door.ada, id, delivery!.id)).toMatchObject({ state: 'DELIVERED' });
    expect(new Set(receiver.arrived.map((one) => one.id))).toEqual(new Set([delivery!.id]));
    expect((await fixture.request<{ body: string }>(door.ada, 'GET', path)).body.body).toBe(receiver.arrived[0]!.text);
  });
});
