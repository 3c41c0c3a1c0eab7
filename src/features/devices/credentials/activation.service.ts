import { Injectable } from '@nestjs/common';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import { type PublicJwk, KeyStore } from '../../../platform/keys/key-store.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { isUuid } from '../../../shared/ids.js';
import { DeviceEventWriter } from '../device-event-writer.js';
import { DevicesRepository } from '../devices.repository.js';
import { ActivationCodesService } from './activation-codes.service.js';
import { ActivationsRepository } from './activations.repository.js';
import { InvalidActivationCodeError } from './credentials.errors.js';
import { DeviceTokensRepository } from './device-tokens.repository.js';
import { hashSecretCode } from './secret-codes.js';

/** What a device gets for its code. */
export interface Activation {
  readonly deviceId: string;
  readonly deviceToken: string;
  readonly orderKeys: readonly PublicJwk[];
}

/** Gives devices tokens that no person need see, for codes that people have scanned. */
@Injectable()
export class ActivationService {
  constructor(
    private readonly repository: ActivationsRepository,
    private readonly codes: ActivationCodesService,
    private readonly tokens: DeviceTokensRepository,
    private readonly devices: DevicesRepository,
    private readonly eventWriter: DeviceEventWriter,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
    private readonly keys: KeyStore,
  ) {}

  /**
   * Consumes the code and issues a token; every earlier one ends with it, and their connections.
   * @throws InvalidActivationCodeError for a code that is wrong, used or expired, or whose maker could make none any more, and for an
   * unknown device: all alike
   */
  async activate(deviceId: string, code: string): Promise<Activation> {
    const [codeHash, deviceToken] = [hashSecretCode(code), randomToken()];
    const orderKeys = await this.keys.verificationKeys('order');
    await this.transactions.run(async () => {
      // Without a lock, so that a stranger who guesses holds up nothing of the device.
      if (!isUuid(deviceId) || !(await this.repository.isValid(deviceId, codeHash))) {
        throw this.refusal();
      }
      await this.devices.getLocked(deviceId);
      if (!(await this.codes.consume(deviceId, codeHash))) {
        throw this.refusal();
      }
      await this.tokens.revoke(deviceId);
      await this.tokens.add(deviceId, sha256(deviceToken), 'activation');
      await this.eventWriter.recordActivation(await this.devices.touch(deviceId));
      this.transactions.afterCommit(() => {
        this.signals.publish('device_revoked', { deviceId });
      });
    });
    return { deviceId, deviceToken, orderKeys };
  }

  private refusal(): InvalidActivationCodeError {
    this.codes.countRefusal('activation');
    return new InvalidActivationCodeError();
  }
}
