/** The collection for Postman, as it is made with the package, against a running application. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAdmin } from '../support/accounts.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { insertNotification } from '../support/notification-requests.js';
import { ExportsClient } from '../support/exports.fixture.js';
import { PackedClient } from '../support/packed-client.js';
import { runCollection } from '../support/postman.js';
import { request } from '../support/rest.js';
import { TestApp } from '../support/test-app.js';

let application: TestApp;
let client: PackedClient;

beforeAll(async () => {
  [application, client] = await Promise.all([TestApp.start(), PackedClient.install()]);
}, 120_000);

afterAll(async () => {
  await client.remove();
  await application.stop();
});

describe('The collection for Postman', () => {
  it('logs in, and each of its requests that reads is answered as the document says', async () => {
    const admin = await createAdmin(application);
    const device = await registerDevice(application.url, admin);
    const send = (path: string, body: object): Promise<{ body: { id: string } }> =>
      request(application.url, 'POST', `/api/v1${path}`, {
        token: admin.accessToken,
        body,
        headers: { 'idempotency-key': device.id },
      });
    const command = await send(`/devices/${device.id}/commands`, { name: 'lock_door' });
    const organization = await send('/organizations', { name: 'House' });
    const share = await send(`/devices/${device.id}/shares`, { email: 'guest@example.com', permission: 'view' });
    const made = await new ExportsClient(application.url).made(admin, { type: 'device_report', format: 'csv' });
    const schedule = await send('/export-schedules', { type: 'audit', format: 'csv', every: 'daily', at: '07:00' });
    const webhook = await send('/webhooks', { url: 'https://hooks.example.com/mortise' });
    const delivery = await send(`/webhooks/${webhook.body.id}/test`, {});
    await send(`/devices/${device.id}/activation-code`, {});
    await send(`/devices/${device.id}/transfer`, { email: 'heir@example.com' });
    await request(application.url, 'PUT', '/api/v1/notifications/chat', {
      token: admin.accessToken,
      body: { url: 'https://hooks.example.com/services/T0' },
    });
    const { answers, faults } = await runCollection(client.sources, {
      baseUrl: application.url,
      identifier: admin.email,
      password: admin.password,
      deviceId: device.id,
      commandId: command.body.id,
      organizationId: organization.body.id,
      userId: admin.id,
      shareId: share.body.id,
      exportId: made.id,
      scheduleId: schedule.body.id,
      notificationId: await insertNotification((sql, values) => application.rows(sql, values), admin.id),
      webhookId: webhook.body.id,
      deliveryId: delivery.body.id,
      queue: 'mail',
    });
    expect(faults).toEqual([]);
    expect(answers).toBeGreaterThan(20);
  }, 60_000);
});
