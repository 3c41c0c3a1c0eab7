import { randomBytes, randomUUID } from 'node:crypto';
import { EVENT_OF_REPORT, type EventReport } from '../../src/contracts/device-sockets.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import { insertAccount, type InsertedAccount, signIn } from './accounts.fixture.js';
import { Dashboard } from './dashboard.js';
import { registerDevice, type RegisteredDevice, sendCommand } from './devices.fixture.js';
import { ExportsClient } from './exports.fixture.js';
import { type NamedIds, numbering, reportsNaming, uplinksNaming } from './naming-uplinks.js';
import { tokenFor } from './access-tokens.js';
import { type Answer, request } from './rest.js';
import { ScriptedDevice } from './scripted-device.js';
import { SocketDevice } from './socket-device.js';
import { share, type TwoTenants } from './two-tenants.js';
import { eventually } from './wait.js';

const REPORTED = [
  ...['door_status_changed', 'motion_detected', 'snapshot_captured', 'low_battery', 'error_occurred'],
  'settings_updated',
];

const LOGS = { type: 'device_logs', format: 'csv' };

/** One way to have dashboards told something. */
export interface FeedCause {
  /** Types of events, and names of messages that carry none. */
  readonly tells: readonly string[];
  /** @param told waits until that was heard */
  readonly run: (told: (what: string) => Promise<unknown>) => Promise<unknown>;
}

/** Causes all that dashboards are told of Ada and what is hers, as often as it is asked, with a canary in every text. */
export class FeedCauses {
  /** Dashboards of Ada's that a cause needed, until the next one. */
  readonly dashboards: Dashboard[] = [];
  readonly #numberOf = numbering();

  private constructor(
    private readonly tenants: TwoTenants,
    private readonly canary: string,
    /** Comes and goes. */
    private readonly porch: RegisteredDevice,
    /** Never connects. */
    private readonly attic: RegisteredDevice,
    private readonly hall: SocketDevice,
    private readonly seller: InsertedAccount,
  ) {}

  static async start(tenants: TwoTenants, canary: string): Promise<FeedCauses> {
    const { application, ada } = tenants;
    const [porch, attic, hall] = [
      await registerDevice(application.url, ada, `${canary} porch`),
      await registerDevice(application.url, ada, `${canary} attic`),
      await registerDevice(application.url, ada, `${canary} hall`),
    ];
    const socket = await SocketDevice.born(application.url, hall, `${canary}-hall`);
    const seller = await insertAccount(application, { name: 'seller' });
    return new FeedCauses(tenants, canary, porch, attic, socket, seller);
  }

  /** @param heard looks whether Ada, or who else it is for, was told of it */
  async run({ tells, run }: FeedCause, heard: (what: string) => boolean): Promise<void> {
    this.closeDashboards();
    // No device of hers falls silent meanwhile.
    await Promise.all([this.tenants.line.hers.beat(), this.hall.beat()]);
    const told = (what: string): Promise<unknown> => eventually(`${what} heard`, () => heard(what));
    await run(told);
    await Promise.all(tells.map(told));
  }

  stop(): void {
    this.closeDashboards();
    this.hall.end();
  }

  readonly all: readonly FeedCause[] = [
    { tells: ['device_registered', 'device_deleted'], run: (told) => this.comeAndGo(() => told('device_registered')) },
    {
      tells: ['device_activated'],
      run: (told) => this.comeAndGo((id) => this.activate(id).then(() => told('device_activated'))),
    },
    { tells: ['device_updated'], run: () => this.ask('PATCH', this.path, { room: `${this.canary} ${randomUUID()}` }) },
    { tells: ['share_granted', 'share_changed', 'share_revoked'], run: () => this.shareForAWhile() },
    { tells: ['device_transferred'], run: (told) => this.buy(() => told('device_transferred')) },
    { tells: ['device_connected', 'status_changed', 'device_disconnected'], run: () => this.visit() },
    { tells: ['device_inactive', 'status_changed'], run: () => this.fallSilent() },
    { tells: REPORTED, run: () => this.reportByMqtt() },
    { tells: REPORTED, run: () => this.reportBySocket() },
    {
      tells: ['created', 'sent', 'received', 'executing', 'executed'].map((state) => `command_${state}`),
      run: () => this.execute(),
    },
    { tells: ['command_failed'], run: () => this.fail() },
    { tells: ['command_timed_out', 'command_late_result'], run: () => this.answerLate() },
    { tells: ['command_expired'], run: () => this.expire() },
    { tells: ['command_cancelled'], run: () => this.cancel() },
    { tells: ['system_alert', 'notification'], run: () => this.raiseAlert() },
    { tells: ['resync'], run: () => this.connect(this.tenants.ada.accessToken, 'no-cursor') },
    { tells: ['session_ended'], run: () => this.endSession() },
    { tells: ['problem'], run: () => this.askNonsense() },
    { tells: ['export_progress'], run: () => new ExportsClient(this.url).made(this.tenants.ada, LOGS) },
    { tells: ['device_heartbeat'], run: () => this.tenants.line.hers.beat() },
    { tells: ['token_expiring'], run: () => this.connectForAWhile() },
    { tells: ['events'], run: () => this.hearTogether() },
  ];

  private get url(): string {
    return this.tenants.application.url;
  }

  private get path(): string {
    return `/devices/${this.tenants.hers.id}`;
  }

  private async ask<T = { id: string }>(method: string, path: string, body?: object): Promise<Answer<T>> {
    return askAs<T>(this.url, this.tenants.ada, method, path, body);
  }

  /** @param stay what happens before the device is deleted: of a deleted one no more is told */
  private async comeAndGo(stay: (id: string) => Promise<unknown>): Promise<void> {
    const { id } = await registerDevice(this.url, this.tenants.ada, `${this.canary} gate`);
    await stay(id);
    await this.ask('DELETE', `/devices/${id}`);
  }

  private async activate(deviceId: string): Promise<void> {
    const { body } = await this.ask<{ activation: { code: string } }>('POST', `/devices/${deviceId}/activation-code`);
    await this.ask('POST', '/devices/activate', { deviceId, code: body.activation.code });
  }

  private async shareForAWhile(): Promise<void> {
    const { ada, hers } = this.tenants;
    const path = `${this.path}/shares/${await share(this.url, ada, hers, `${this.canary}-${randomUUID()}@example.com`)}`;
    await this.ask('PATCH', path, { permission: 'view' });
    await this.ask('DELETE', path);
  }

  /** A device that was another person's, and becomes Ada's. */
  private async buy(told: () => Promise<unknown>): Promise<void> {
    const { id } = await registerDevice(this.url, this.seller, `${this.canary} shed`);
    // Not to Ada's, which would soon have had enough mail.
    const to = { email: `${this.canary}-${randomUUID()}@example.com` };
    const offer = await askAs<{ id: string }>(this.url, this.seller, 'POST', `/devices/${id}/transfer`, to);
    const token = randomBytes(32).toString('base64url');
    await this.tenants.application.rows(
      'UPDATE device_transfers SET email = $2, token_hash = sha256($3::bytea) WHERE id = $1',
      [offer.body.id, this.tenants.ada.email, token],
    );
    await this.ask('POST', '/devices/transfers/accept', { token });
    await told();
    await this.ask('DELETE', `/devices/${id}`);
  }

  private async visit(): Promise<void> {
    const boot = `${this.canary}-${randomUUID().slice(0, 8)}`;
    const visitor = await ScriptedDevice.born(this.tenants.application.mqttUrl, this.porch, boot);
    await visitor.publish('status', { online: false, boot });
    await visitor.end();
  }

  private async fallSilent(): Promise<void> {
    const { application } = this.tenants;
    await application.rows('DELETE FROM device_links WHERE device_id = $1', [this.porch.id]);
    await application.rows(
      `UPDATE devices SET status = 'offline', last_seen_at = now() - interval '2 days' WHERE id = $1`,
      [this.porch.id],
    );
    await application.get(JobRegistry).get('mark_inactive_devices')({});
  }

  private async reportByMqtt(): Promise<void> {
    const { hers, line } = this.tenants;
    const { events } = uplinksNaming(idsOf(hers.id, line.hers.boot), this.#numberOf, this.canary);
    await line.hers.publish('events', events());
  }

  private async reportBySocket(): Promise<void> {
    const reports = reportsNaming(idsOf(this.hall.id, this.hall.boot), this.#numberOf, this.canary);
    for (const report of Object.keys(EVENT_OF_REPORT) as EventReport[]) {
      await this.hall.say(report, reports[report]());
    }
  }

  /** @returns its id, once it is at the device */
  private async order(): Promise<string> {
    const { ada, hers, line } = this.tenants;
    const { body } = await sendCommand(this.url, ada, hers.id, { name: 'lock_door' });
    await eventually('the order', () => line.hers.orders.some(({ commandId }) => commandId === body.id));
    return body.id;
  }

  private async execute(): Promise<void> {
    const commandId = await this.order();
    const { hers } = this.tenants.line;
    await hers.ack({ commandId, status: 'received' });
    await hers.ack({ commandId, status: 'executing' });
    await hers.ack({ commandId, status: 'executed', result: { text: this.canary } });
  }

  private async fail(): Promise<void> {
    const commandId = await this.order();
    await this.tenants.line.hers.ack({ commandId, status: 'failed', errorMessage: this.canary });
  }

  private async answerLate(): Promise<void> {
    const { application, line } = this.tenants;
    const commandId = await this.order();
    await application.rows('UPDATE commands SET timeout_at = clock_timestamp() WHERE id = $1', [commandId]);
    await eventually('it timed out', async () => {
      const [row] = await application.rows<{ state: string }>('SELECT state FROM commands WHERE id = $1', [commandId]);
      return row?.state === 'TIMED_OUT';
    });
    await line.hers.ack({ commandId, status: 'executed', result: { text: this.canary } });
  }

  private async wait(): Promise<string> {
    return (await sendCommand(this.url, this.tenants.ada, this.attic.id, { name: 'lock_door' })).body.id;
  }

  private async expire(): Promise<void> {
    await this.tenants.application.rows('UPDATE commands SET expires_at = clock_timestamp() WHERE id = $1', [
      await this.wait(),
    ]);
  }

  private async cancel(): Promise<void> {
    await this.ask('DELETE', `/devices/${this.attic.id}/commands/${await this.wait()}`);
  }

  /** Twenty failed logins would do it, as P-12 shows. */
  private async raiseAlert(): Promise<void> {
    const { application, ada } = this.tenants;
    const alert = {
      alert: 'login_failures',
      scope: 'account',
      failures: 20,
      windowSeconds: 60,
      userId: ada.id,
    } as const;
    const event = { type: 'system_alert', payload: alert, source: 'system', actor: 'system' } as const;
    await application.get(Transactions).run(() => application.get(EventLog).append(event));
  }

  private async endSession(): Promise<void> {
    const { accessToken: token } = await signIn(this.url, this.tenants.ada.email);
    await this.connect(token);
    await request(this.url, 'POST', '/api/v1/auth/logout', { token });
  }

  private async askNonsense(): Promise<void> {
    const { socket } = await this.connect(this.tenants.ada.accessToken);
    (socket as unknown as { emit(name: string): void }).emit(this.canary);
  }

  private async connectForAWhile(): Promise<void> {
    await this.connect(await tokenFor(30, this.tenants.application, this.tenants.ada.accessToken));
  }

  /** Two events of one moment, on a connection that asked for them together. */
  private async hearTogether(): Promise<void> {
    const { application, ada } = this.tenants;
    this.dashboards.push(
      await Dashboard.connect(this.url, { token: ada.accessToken, clientType: 'dashboard', batch: true }),
    );
    const event = { type: 'motion_detected', payload: { zone: this.canary }, userId: ada.id } as const;
    const both = [event, event].map((each) => ({ ...each, source: 'system', actor: 'system' }) as const);
    await application.get(Transactions).run(() => application.get(EventLog).append(both));
  }

  private async connect(token: string, cursor?: string): Promise<Dashboard> {
    const dashboard = await Dashboard.signedIn(this.url, token, cursor);
    this.dashboards.push(dashboard);
    return dashboard;
  }

  private closeDashboards(): void {
    this.dashboards.splice(0).forEach((dashboard) => {
      dashboard.close();
    });
  }
}

function idsOf(deviceId: string, boot: string): NamedIds {
  return { deviceId, boot, sent: randomUUID(), executed: randomUUID() };
}

/** @throws when it is refused: then nothing is told, and no silence would show anything */
async function askAs<T>(
  url: string,
  { accessToken: token }: Pick<InsertedAccount, 'accessToken'>,
  method: string,
  path: string,
  body?: object,
): Promise<Answer<T>> {
  const headers = { 'idempotency-key': randomUUID() };
  const answer = await request<T>(url, method, `/api/v1${path}`, { token, body, headers });
  if (answer.status >= 400) {
    throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  }
  return answer;
}
