import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, insertAccount, type InsertedAccount } from './accounts.fixture.js';
import { registerDevice, type RegisteredDevice } from './devices.fixture.js';
import { MailServer } from './mail-server.js';
import { type Answer, request } from './rest.js';
import { Sql } from './sql.js';
import { TestApp } from './test-app.js';
import { eventually } from './wait.js';

type Person = Pick<Account | InsertedAccount, 'accessToken'>;

/** An export as the API shows it. */
export interface ExportBody {
  readonly id: string;
  readonly state: string;
  readonly failure: string | null;
  readonly progress: { readonly percent: number; readonly rows: number; readonly estimatedRows: number | null };
  readonly size: number | null;
  readonly sha256: string | null;
  readonly from: string | null;
  readonly until: string | null;
  readonly snapshotAt: string | null;
  readonly scheduleId: string | null;
  readonly finishedAt: string | null;
  readonly expiresAt: string | null;
  readonly errors?: readonly { readonly detail: string; readonly pointer: string }[];
  readonly code?: string;
}

/** Asks for exports as an app does. */
export class ExportsClient {
  constructor(private readonly base: string) {}

  /** @param waitSeconds how long the request waits for the end; 0: it does not */
  ask(
    who: Person,
    body: object,
    { waitSeconds = 0, headers = {} }: { waitSeconds?: number; headers?: Record<string, string> } = {},
  ): Promise<Answer<ExportBody>> {
    return request<ExportBody>(this.base, 'POST', '/api/v1/exports', {
      token: who.accessToken,
      body,
      headers: {
        'idempotency-key': randomUUID(),
        ...(waitSeconds > 0 ? { prefer: `wait=${String(waitSeconds)}` } : {}),
        ...headers,
      },
    });
  }

  on<T = ExportBody>(who: Person, method: string, path: string, body?: object): Promise<Answer<T>> {
    return request<T>(this.base, method, `/api/v1/exports${path}`, {
      token: who.accessToken,
      ...(body && { body, headers: { 'idempotency-key': randomUUID() } }),
    });
  }

  /** @returns the id of a schedule that was made */
  async scheduled(who: Person): Promise<string> {
    const { body } = await request<{ id: string }>(this.base, 'POST', '/api/v1/export-schedules', {
      token: who.accessToken,
      body: { type: 'usage_report', format: 'csv', every: 'daily', at: '07:00' },
      headers: { 'idempotency-key': randomUUID() },
    });
    return body.id;
  }

  async ended(who: Person, id: string): Promise<ExportBody> {
    return eventually('the export has ended', async () => {
      const { body } = await this.on(who, 'GET', `/${id}`);
      return ['PENDING', 'RUNNING'].includes(body.state) ? null : body;
    });
  }

  /** Asks, and waits for the end. */
  async made(who: Person, body: object): Promise<ExportBody> {
    const asked = await this.ask(who, body, { waitSeconds: 20 });
    if (asked.status >= 300) {
      throw new Error(`An export was refused: ${JSON.stringify(asked.body)}`);
    }
    return this.ended(who, asked.body.id);
  }

  download(who: Person, id: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.base}/api/v1/exports/${id}/download`, {
      headers: { authorization: `Bearer ${who.accessToken}`, ...headers },
    });
  }

  /** The file of an export that is made for it. */
  async text(who: Person, body: object): Promise<string> {
    const { id, state, failure } = await this.made(who, body);
    if (state !== 'COMPLETED') {
      throw new Error(`An export ended as ${state}: ${String(failure)}`);
    }
    return (await this.download(who, id)).text();
  }
}

/** Events of a device, as if it had reported them: their payloads have a `note`. */
export async function insertEvents(
  sql: Sql,
  { deviceId, ownerId }: { deviceId: string; ownerId: string },
  count: number,
  note = 'note',
): Promise<void> {
  await sql.rows(
    `INSERT INTO events (type, source, device_id, user_id, actor, payload)
     SELECT 'custom', 'mqtt', $1::uuid, $2::uuid, 'device:' || $1, jsonb_build_object('note', $4::text, 'number', g)
     FROM generate_series(1, $3::int) g`,
    [deviceId, ownerId, count, note],
  );
}

/** An application with people who ask for exports, and the mails that they get. */
export class ExportsFixture {
  private constructor(
    readonly application: TestApp,
    readonly server: MailServer,
    readonly sql: Sql,
    readonly client: ExportsClient,
    readonly ada: InsertedAccount,
    readonly mallory: InsertedAccount,
    /** Hers, with 30 events. */
    readonly door: RegisteredDevice,
    /** His, with 20. */
    readonly his: RegisteredDevice,
  ) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<ExportsFixture> {
    const server = await MailServer.start();
    const application = await TestApp.start({ env: { SMTP_URL: server.url, ...env } });
    const sql = await Sql.open(application.databaseUrl);
    const [ada, mallory] = await Promise.all([insertAccount(application), insertAccount(application)]);
    const door = await registerDevice(application.url, ada, 'Front; =door');
    const his = await registerDevice(application.url, mallory, 'Side door');
    await insertEvents(sql, { deviceId: door.id, ownerId: ada.id }, 30, 'hers');
    await insertEvents(sql, { deviceId: his.id, ownerId: mallory.id }, 20, 'his');
    return new ExportsFixture(application, server, sql, new ExportsClient(application.url), ada, mallory, door, his);
  }

  /** What is stored of an export. */
  filesOf(exportId: string): Promise<string[]> {
    return readdir(join(this.application.directory, 'files', 'exports', exportId)).catch(() => []);
  }

  async stop(): Promise<void> {
    await this.sql.end();
    await this.application.stop();
    await this.server.stop();
  }
}
