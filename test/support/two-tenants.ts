import { randomUUID } from 'node:crypto';
import { TestApp } from './test-app.js';
import { ScriptedDevice } from './scripted-device.js';
import { type Account, createAccount, insertAccount, type InsertedAccount } from './accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from './devices.fixture.js';
import { ExportsClient } from './exports.fixture.js';
import { insertNotification, insertPushSubscription } from './notification-requests.js';
import { request } from './rest.js';
import { closedHours } from './sharing.fixture.js';

/** Two accounts that share nothing, each with a connected device, and one whose share of the first device has ended. */
export interface TwoTenants {
  readonly application: TestApp;
  readonly ada: Account;
  readonly mallory: Account;
  /** Could once control Ada's device. */
  readonly formerGuest: Account;
  readonly hers: RegisteredDevice;
  readonly his: RegisteredDevice;
  readonly line: { readonly hers: ScriptedDevice; readonly his: ScriptedDevice };
  readonly herCommand: string;
  readonly herOrganization: string;
  readonly herSession: string;
  /** Of what happened to her devices. */
  readonly herExport: string;
  readonly herSchedule: string;
  readonly herNotification: string;
  readonly herSubscription: string;
  readonly herWebhook: string;
  readonly herDelivery: string;
  /** A share of her device that stands, of another person. */
  readonly herShare: string;
  /** The one of the former guest. */
  readonly endedShare: string;
  stop(): Promise<void>;
}

/** @param canary what everything of Ada's carries, wherever it shows. */
export async function createTwoTenants(canary: string): Promise<TwoTenants> {
  const application = await TestApp.start();
  const { url, mqttUrl } = application;
  const ada = await createAccount(url, canary);
  const mallory = await createAccount(url, 'mallory');
  const formerGuest = await createAccount(url, 'guest');
  const hers = await registerDevice(url, ada, `${canary} door`);
  const his = await registerDevice(url, mallory, 'Side door');
  const line = {
    hers: await ScriptedDevice.born(mqttUrl, hers, 'boot-of-hers'),
    his: await ScriptedDevice.born(mqttUrl, his, 'boot-of-his'),
  };
  const { accessToken: token } = ada;
  const organization = await request<{ id: string }>(url, 'POST', '/api/v1/organizations', {
    token,
    body: { name: `${canary} house` },
    headers: { 'idempotency-key': randomUUID() },
  });
  const sessions = await request<{ items: { id: string }[] }>(url, 'GET', '/api/v1/auth/sessions', { token });
  const exports = new ExportsClient(url);
  const webhook = await request<{ id: string }>(url, 'POST', '/api/v1/webhooks', {
    token,
    body: { url: `https://hooks.example.com/${canary}`, description: canary },
  });
  const test = await request<{ id: string }>(url, 'POST', `/api/v1/webhooks/${webhook.body.id}/test`, { token });
  const endedShare = await share(url, ada, hers, formerGuest.email);
  await request(url, 'DELETE', `/api/v1/devices/${hers.id}/shares/${endedShare}`, { token });
  return {
    application,
    ada,
    mallory,
    formerGuest,
    hers,
    his,
    line,
    herCommand: await commandThatWaits(url, ada, hers),
    herOrganization: organization.body.id,
    herSession: sessions.body.items[0]?.id ?? '',
    herExport: (await exports.made(ada, { type: 'device_logs', format: 'csv' })).id,
    herSchedule: await exports.scheduled(ada),
    herNotification: await insertNotification((sql, values) => application.rows(sql, values), ada.id, {
      deviceName: canary,
    }),
    herSubscription: await insertPushSubscription((sql, values) => application.rows(sql, values), ada.id, canary),
    herWebhook: webhook.body.id,
    herDelivery: test.body.id,
    herShare: await share(url, ada, hers, `${canary}@example.com`),
    endedShare,
    async stop() {
      await line.hers.end();
      await line.his.end();
      await application.stop();
    },
  };
}

/** Sends two commands and returns the id of the second, which is queued behind the first and can be cancelled. */
export async function commandThatWaits(url: string, person: Account, device: RegisteredDevice): Promise<string> {
  await sendCommand(url, person, device.id, { name: 'lock_door' });
  return (await sendCommand(url, person, device.id, { name: 'lock_door' })).body.id;
}

/** A guest who may administer Ada's device, at an hour that is far from now. */
export async function createClosedGuest({
  application,
  ada,
  hers,
}: TwoTenants): Promise<InsertedAccount & { readonly shareId: string }> {
  const guest = await insertAccount(application, { name: 'closed' });
  const terms = { permission: 'admin', schedule: closedHours() };
  return { ...guest, shareId: await share(application.url, ada, hers, guest.email, terms) };
}

/** @returns the id of the share, by which the person of this address may control the device. */
export async function share(
  url: string,
  { accessToken: token }: Pick<Account, 'accessToken'>,
  { id }: RegisteredDevice,
  email: string,
  terms: object = {},
): Promise<string> {
  const path = `/api/v1/devices/${id}/shares`;
  const { status, body } = await request<{ id: string }>(url, 'POST', path, {
    token,
    body: { email, permission: 'control', ...terms },
  });
  if (status !== 201) {
    throw new Error(`Sharing a device failed: ${JSON.stringify(body)}`);
  }
  return body.id;
}
