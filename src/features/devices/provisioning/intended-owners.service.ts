import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { RateLimiter } from '../../../platform/rate-limit/rate-limiter.js';
import { EmailQuotaService } from '../../auth/email/email-quota.service.js';
import { ClaimsService } from './claims.service.js';
import { ProvisioningRepository } from './provisioning.repository.js';

/** A thing with the code that claims it. */
interface ReadyThing {
  readonly id: string;
  readonly hardwareId: string;
  readonly name?: string;
  readonly ownerEmail?: string;
  readonly claimCode: string;
}

/** In one mail. */
const MAX_IN_MAIL = 100;

/** What happens to things whose maker says whose they are. */
@Injectable()
export class IntendedOwnersService {
  constructor(
    private readonly repository: ProvisioningRepository,
    private readonly claims: ClaimsService,
    private readonly mailer: Mailer,
    private readonly quota: EmailQuotaService,
    private readonly limits: RateLimiter,
    private readonly config: AppConfig,
  ) {}

  /** The accounts that are known to have these addresses, by address. */
  find(emails: readonly string[]): Promise<Map<string, string>> {
    return this.config.provesAddresses && emails.length > 0
      ? this.repository.listOwners([...new Set(emails)])
      : Promise.resolve(new Map<string, string>());
  }

  /**
   * Gives things to accounts that are locked; the codes of the others are mailed, one mail to each address, as far as its
   * quota admits, and that of the maker.
   */
  async handOver(
    makerId: string,
    things: readonly ReadyThing[],
    owners: ReadonlyMap<string, string>,
  ): Promise<{ given: ReadonlySet<string>; mailed: ReadonlySet<string> }> {
    const given = new Set<string>();
    const waiting = new Map<string, ReadyThing[]>();
    for (const thing of things) {
      const { id, ownerEmail } = thing;
      const ownerId = ownerEmail === undefined ? undefined : owners.get(ownerEmail);
      if (ownerId !== undefined && (await this.claims.give(id, ownerId))) {
        given.add(id);
      } else if (ownerEmail !== undefined) {
        waiting.set(ownerEmail, [...(waiting.get(ownerEmail) ?? []), thing]);
      }
    }
    return { given, mailed: await this.mail(makerId, waiting) };
  }

  private async mail(
    makerId: string,
    waiting: ReadonlyMap<string, readonly ReadyThing[]>,
  ): Promise<ReadonlySet<string>> {
    const mailed = new Set<string>();
    for (const [to, things] of waiting) {
      // Its own limit first: a mail that it refuses takes nothing from the mailbox.
      const { admitted } = await this.limits.spend('provisioning_mail', makerId);
      if (!admitted) {
        break;
      }
      if (await this.quota.consume(to)) {
        const told = things.slice(0, MAX_IN_MAIL);
        const devices = told.map(({ hardwareId, name, claimCode: code }) => ({ name: name ?? hardwareId, code }));
        await this.mailer.enqueue({ to, template: 'device_claims', values: { devices } });
        told.forEach(({ id }) => mailed.add(id));
      }
    }
    return mailed;
  }
}
