import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { AccountStandingService } from '../../users/account-standing.service.js';
import { ActivationCodesService } from '../credentials/activation-codes.service.js';
import { hashSecretCode } from '../credentials/secret-codes.js';
import { DeviceEventWriter } from '../device-event-writer.js';
import { TooManyDevicesError } from '../devices.errors.js';
import { DevicesRepository } from '../devices.repository.js';
import { InvalidClaimCodeError } from './provisioning.errors.js';
import { type ClaimedThing, ProvisioningRepository } from './provisioning.repository.js';
import type { ClaimedDevice, ClaimRequest } from './provisioning.types.js';

/** Makes devices of things in the inventory: for whom a code names, or for who knows the code. */
@Injectable()
export class ClaimsService {
  readonly #maxPerUser: number;

  constructor(
    private readonly repository: ProvisioningRepository,
    private readonly devices: DevicesRepository,
    private readonly activations: ActivationCodesService,
    private readonly eventWriter: DeviceEventWriter,
    private readonly standing: AccountStandingService,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: Transactions,
    config: AppConfig,
  ) {
    this.#maxPerUser = config.devices.maxPerUser;
  }

  /**
   * Consumes a code and makes the device. A device whose token was revoked meanwhile gets an activation code.
   * @throws InvalidClaimCodeError for a code that is wrong, used, or for another account: all alike
   * @throws UnlockRestrictedError where it would get one, which is worth nothing while its maker may make none
   * @throws AccountCannotActError, TooManyDevicesError; DeviceNotFoundError for a repeat, when the device is another person's by now
   */
  claim(userId: string, request: ClaimRequest): Promise<ClaimedDevice> {
    return this.transactions.run(async () => {
      let activation: ClaimedDevice['activation'] = null;
      const { id } = await this.idempotency.once(async () => {
        await this.requireRoom(userId);
        const thing = await this.repository.claim(hashSecretCode(request.code), userId);
        if (!thing) {
          this.activations.countRefusal('claim');
          throw new InvalidClaimCodeError();
        }
        const needsCode = thing.tokenHash === null;
        if (needsCode) {
          await this.standing.requireUnrestricted(userId);
        }
        await this.make(userId, thing, request);
        activation = needsCode ? await this.activations.issue(thing.id, userId) : null;
        return thing.id;
      });
      return { device: await this.devices.getOwned(id, userId), activation };
    });
  }

  /**
   * Gives a thing that was just loaded to an account that is locked, in the surrounding transaction. What comes unasked leaves
   * half of the devices that a person may own to what they register and claim themselves.
   * @returns false when the account owns as many already, whichever way it got them
   */
  async give(provisionedId: string, ownerId: string): Promise<boolean> {
    const most = Math.floor(this.#maxPerUser / 2);
    if ((await this.devices.countOwned(ownerId, most + 1)) >= most) {
      return false;
    }
    const thing = await this.repository.give(provisionedId);
    if (thing) {
      await this.make(ownerId, thing, {});
    }
    return thing !== null;
  }

  /** It locks the account, so that two claims cannot both be the last one. */
  private async requireRoom(userId: string): Promise<void> {
    await this.standing.requireActing(userId);
    if ((await this.devices.countOwned(userId, this.#maxPerUser)) >= this.#maxPerUser) {
      throw new TooManyDevicesError(this.#maxPerUser);
    }
  }

  private async make(ownerId: string, thing: ClaimedThing, said: Omit<ClaimRequest, 'code'>): Promise<void> {
    const { id, type, hardwareId } = thing;
    const name = said.name ?? thing.name ?? hardwareId;
    const room = said.room === undefined ? thing.room : said.room;
    await this.repository.createDevice(ownerId, thing, {
      name,
      room,
      timeZone: said.timeZone ?? thing.timeZone ?? 'UTC',
    });
    await this.eventWriter.recordRegistration({ id, ownerId, name, type, hardwareId }, 'device_claimed');
  }
}
