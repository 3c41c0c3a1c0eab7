import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { DeviceType } from '../../contracts/devices.js';
import { randomToken, sha256 } from '../../platform/crypto/digest.js';
import type { FlatObject } from '../../contracts/flat-object.js';
import { KeyStore } from '../../platform/keys/key-store.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { AccountStandingService } from '../users/account-standing.service.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { HardwareIdTakenError, TooManyDevicesError } from './devices.errors.js';
import { DevicesRepository } from './devices.repository.js';
import type { Device, NewDevice, Position, RegisteredDevice } from './devices.types.js';

/** A registration as requested; members left out have defaults. */
export interface RegistrationRequest {
  readonly name: string;
  readonly type?: DeviceType;
  readonly hardwareId: string;
  readonly room?: string | null;
  readonly location?: string | null;
  readonly position?: Position | null;
  readonly metadata?: FlatObject | null;
  readonly timeZone?: string;
}

/** Registers devices: the row, the token, and the keys that the device will trust. */
@Injectable()
export class DeviceRegistrationService {
  constructor(
    private readonly repository: DevicesRepository,
    private readonly transactions: Transactions,
    private readonly eventWriter: DeviceEventWriter,
    private readonly idempotency: IdempotencyService,
    private readonly keys: KeyStore,
    private readonly standing: AccountStandingService,
    private readonly config: AppConfig,
  ) {}

  /**
   * Registers a device for a user. A repeat with the same idempotency key answers with the same device and without the
   * token, because only its hash is stored.
   * @throws HardwareIdTakenError, AccountCannotActError, TooManyDevicesError
   * @throws DeviceNotFoundError for a repeat, when the device is another person's by now
   */
  async register(ownerId: string, request: RegistrationRequest): Promise<RegisteredDevice> {
    const token = randomToken();
    const orderKeys = await this.keys.verificationKeys('order');
    const { device, repeated } = await this.transactions.run(async () => {
      const { id, repeated } = await this.idempotency.once(() => this.create(ownerId, withDefaults(request), token));
      return { device: await this.repository.getOwned(id, ownerId), repeated };
    });
    return { device, deviceToken: repeated ? null : token, orderKeys };
  }

  private async create(ownerId: string, device: NewDevice, token: string): Promise<Device['id']> {
    const { maxPerUser } = this.config.devices;
    // It locks the account, so that two registrations cannot both be the last one, nor a claim come in between.
    await this.standing.requireActing(ownerId);
    if ((await this.repository.countOwned(ownerId, maxPerUser)) >= maxPerUser) {
      throw new TooManyDevicesError(maxPerUser);
    }
    if (await this.repository.hasProvisioned(ownerId, device.hardwareId)) {
      throw new HardwareIdTakenError();
    }
    const deviceId = await this.repository.create(ownerId, device, sha256(token));
    await this.eventWriter.recordRegistration({ ...device, id: deviceId, ownerId });
    return deviceId;
  }
}

function withDefaults(request: RegistrationRequest): NewDevice {
  const { name, type = 'door_lock', hardwareId, timeZone = 'UTC' } = request;
  const { room = null, location = null, position = null, metadata } = request;
  return { name, type, hardwareId, room, location, position, metadata: metadata ?? {}, timeZone };
}
