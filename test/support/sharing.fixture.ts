import { Mailer } from '../../src/platform/mail/mailer.js';
import type { InsertedAccount } from './accounts.fixture.js';
import { type AnswerOrProblem, OrganizationsFixture, type PageBody } from './organizations.fixture.js';
import { Sql } from './sql.js';
import { TestApp } from './test-app.js';

export interface ShareBody {
  readonly id: string;
  readonly email: string;
  readonly permission: string;
  readonly from: string | null;
  readonly until: string | null;
  readonly schedule: unknown;
  readonly suspended: boolean;
  readonly state: string;
  readonly nextOpening: { readonly from: string | null; readonly until: string | null } | null;
  readonly version: number;
}

export interface DeviceBody {
  readonly id: string;
  readonly name: string;
  readonly permission: string;
  readonly owned: boolean;
}

/** A device and its owner, and two people whom it may be shared with. */
export interface Door {
  readonly id: string;
  readonly ada: InsertedAccount;
  readonly grace: InsertedAccount;
  readonly guest: InsertedAccount;
}

export const EVERY_DAY = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

/** A schedule that is open half a day away from now. */
export function closedHours(): { timeZone: string; windows: [{ days: string[]; from: string; until: string }] } {
  const hour = String((new Date().getUTCHours() + 12) % 24).padStart(2, '0');
  return { timeZone: 'UTC', windows: [{ days: EVERY_DAY, from: `${hour}:00`, until: `${hour}:30` }] };
}

/** The application with people who share devices, and the tokens of the invitations that it mailed. */
export class SharingFixture extends OrganizationsFixture {
  readonly mailed = new Map<string, string>();

  static override async start(env: Readonly<Record<string, string>> = {}): Promise<SharingFixture> {
    const application = await TestApp.start({ env: { RATE_LIMIT_SCALE: '1000', ...env } });
    const fixture = new SharingFixture(application, await Sql.open(application.databaseUrl));
    const mailer = application.get(Mailer);
    const enqueue = mailer.enqueue.bind(mailer);
    mailer.enqueue = async (mail) => {
      if (mail.template === 'device_share_invitation') {
        fixture.mailed.set(mail.to, mail.values.token);
      }
      await enqueue(mail);
    };
    return fixture;
  }

  /** A new device of Ada's, and two new people. */
  async createDoor(): Promise<Door> {
    const [ada, grace, guest] = await Promise.all([
      this.createAccount('ada'),
      this.createAccount('grace'),
      this.createAccount('guest'),
    ]);
    return { ada, grace, guest, id: (await this.registerDevice(ada)).id };
  }

  /** A new person with an address that had no account. */
  async createAccountAt(email: string): Promise<InsertedAccount> {
    const account = await this.createAccount('late');
    await this.sql.rows('UPDATE users SET email = $1 WHERE id = $2', [email, account.id]);
    return { ...account, email };
  }

  share(
    who: InsertedAccount,
    deviceId: string,
    guest: Pick<InsertedAccount, 'email'>,
    terms: Record<string, unknown> = {},
  ): Promise<AnswerOrProblem<ShareBody>> {
    const body = { email: guest.email, permission: 'control', ...terms };
    return this.request<ShareBody>(who, 'POST', `/devices/${deviceId}/shares`, body);
  }

  /** So many devices that their owner shares with an address. */
  async shareMany(ownerId: string, email: string, count: number): Promise<void> {
    await this.sql.rows(
      `WITH doors AS (
         INSERT INTO devices (id, owner_id, name, hardware_id, updated_at)
         SELECT gen_random_uuid(), $1::uuid, 'Door', gen_random_uuid()::text, now() FROM generate_series(1, $3::int) RETURNING id
       ) INSERT INTO device_shares (id, device_id, email, permission, granted_by)
       SELECT gen_random_uuid(), id, $2, 'view', $1::uuid FROM doors`,
      [ownerId, email, count],
    );
  }

  changeShare(
    who: InsertedAccount,
    { door, id }: { readonly door: string; readonly id: string },
    body: object,
    headers: Record<string, string> = {},
  ): Promise<AnswerOrProblem<ShareBody>> {
    return this.request<ShareBody>(who, 'PATCH', `/devices/${door}/shares/${id}`, body, headers);
  }

  /** The devices in the list of a person. */
  async devicesOf(who: InsertedAccount): Promise<DeviceBody[]> {
    return (await this.request<PageBody<DeviceBody>>(who, 'GET', '/devices')).body.items;
  }

  /** Has the answer of a request about the device: what a person meets. */
  async statusOf(who: InsertedAccount, deviceId: string): Promise<number> {
    return (await this.request(who, 'GET', `/devices/${deviceId}`)).status;
  }
}
