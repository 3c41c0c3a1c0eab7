import { Injectable } from '@nestjs/common';
import { sha256 } from '../../platform/crypto/digest.js';
import { DeviceAuthenticator } from '../../platform/mqtt/device-authenticator.js';
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

  async listRevoked(deviceIds: readonly string[]): Promise<string[]> {
    const valid = await this.repository.listWithToken(deviceIds);
    return deviceIds.filter((deviceId) => !valid.has(deviceId));
  }

  listOwners(deviceIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.repository.listOwners(deviceIds);
  }
}
