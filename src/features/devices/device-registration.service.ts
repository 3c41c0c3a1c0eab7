import { Injectable } from '@nestjs/common';
import type { DeviceType } from '../../contracts/devices.js';
import { randomToken, sha256 } from '../../platform/crypto/digest.js';
import { KeyStore, type PublicJwk } from '../../platform/keys/key-store.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { DevicesRepository } from './devices.repository.js';
import type { Device, NewDevice, RegisteredDevice } from './devices.types.js';

/** As it comes in: what is missing has a default. */
export interface RegistrationRequest {
  readonly name: string;
  readonly type?: DeviceType;
  readonly hardwareId: string;
  readonly room?: string | null;
  readonly timeZone?: string;
}

/** How a device comes into being: its row, its token, and the keys it will trust. */
@Injectable()
export class DeviceRegistrationService {
  constructor(
    private readonly repository: DevicesRepository,
    private readonly transactions: Transactions,
    private readonly recorder: DeviceEventWriter,
    private readonly idempotency: Idempotency,
    private readonly keys: KeyStore,
  ) {}

  /**
   * Registers a device for a person. A repeat under the same idempotency key answers with the same device and no
   * token: only its hash is kept.
   * @throws HardwareIdTakenError
   */
  async register(ownerId: string, request: RegistrationRequest): Promise<RegisteredDevice> {
    const token = randomToken();
    const orderKeys = await this.orderKeys();
    const { device, repeated } = await this.transactions.run(async () => {
      const { id, repeated } = await this.idempotency.once(() => this.create(ownerId, withDefaults(request), token));
      return { device: await this.repository.get(id), repeated };
    });
    return { device, deviceToken: repeated ? null : token, orderKeys };
  }

  /** What devices verify orders with. */
  orderKeys(): Promise<PublicJwk[]> {
    return this.keys.verificationKeys('order');
  }

  private async create(ownerId: string, device: NewDevice, token: string): Promise<Device['id']> {
    const deviceId = await this.repository.create(ownerId, device, sha256(token));
    await this.recorder.registered({ ...device, id: deviceId, ownerId });
    return deviceId;
  }
}

function withDefaults({ name, type, hardwareId, room, timeZone }: RegistrationRequest): NewDevice {
  return { name, type: type ?? 'door_lock', hardwareId, room: room ?? null, timeZone: timeZone ?? 'UTC' };
}
