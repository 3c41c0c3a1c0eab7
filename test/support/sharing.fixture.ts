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

  share(
    who: InsertedAccount,
    deviceId: string,
    guest: Pick<InsertedAccount, 'email'>,
    terms: Record<string, unknown> = {},
  ): Promise<AnswerOrProblem<ShareBody>> {
    const body = { email: guest.email, permission: 'control', ...terms };
    return this.request<ShareBody>(who, 'POST', `/devices/${deviceId}/shares`, body);
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
