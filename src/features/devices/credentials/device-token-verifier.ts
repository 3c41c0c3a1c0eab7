import { Injectable } from '@nestjs/common';
import { sha256 } from '../../../platform/crypto/digest.js';
import { DeviceAuthenticator, type DeviceLogin } from '../../../platform/mqtt/device-authenticator.js';
import { DeviceTokensRepository } from './device-tokens.repository.js';

/** Verifies device tokens by their SHA-256: 32 random bytes need no slow hash. */
@Injectable()
export class DeviceTokenVerifier extends DeviceAuthenticator {
  constructor(private readonly repository: DeviceTokensRepository) {
    super();
  }

  verify(deviceId: string, token: string): Promise<boolean> {
    return this.repository.isValid(deviceId, sha256(token));
  }

  async listEnded<L extends DeviceLogin>(logins: readonly L[]): Promise<L[]> {
    const valid = await this.repository.findValid(logins);
    return logins.filter((_login, index) => valid[index] !== true);
  }

  listOwners(deviceIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.repository.listOwners(deviceIds);
  }
}
