import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { equalInConstantTime, sha256 } from '../../../platform/crypto/digest.js';
import type { PasswordState } from '../../users/users.types.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';

const ID_BYTES = 16;
const MAC_BYTES = 32;

/**
 * Tokens that say that this device signed in to this account before, with the password it has now. They open nothing by
 * themselves; with one, the owner can sign in while strangers are guessing. A change of password ends them all.
 */
@Injectable()
export class KnownDevicesService {
  readonly #key: Buffer;

  constructor(
    config: AppConfig,
    private readonly sessions: SessionsRepository,
  ) {
    this.#key = deriveKey(config.masterKey(), 'sign_known_devices');
  }

  /** After a change of password, which ended every token. @param sessionId the session that goes on, if one does. */
  async renew(owner: KnownTo, sessionId: string | undefined): Promise<string> {
    const token = this.issue(owner);
    if (sessionId !== undefined) {
      await this.sessions.setDevice(sessionId, sha256(token));
    }
    return token;
  }

  issue(owner: KnownTo): string {
    const id = randomBytes(ID_BYTES);
    return Buffer.concat([id, this.mac(id, owner)]).toString('base64url');
  }

  /** @returns the id of the device; null when the token is not for this account and its present password. */
  verify(token: string, owner: KnownTo): string | null {
    const bytes = Buffer.from(token, 'base64url');
    const id = bytes.subarray(0, ID_BYTES);
    const genuine =
      bytes.length === ID_BYTES + MAC_BYTES && equalInConstantTime(bytes.subarray(ID_BYTES), this.mac(id, owner));
    return genuine ? id.toString('hex') : null;
  }

  private mac(id: Buffer, { userId, changedAt }: KnownTo): Buffer {
    const place = `${userId} ${String(changedAt.getTime())} `;
    return createHmac('sha256', this.#key).update(place).update(id).digest();
  }
}

type KnownTo = Pick<PasswordState, 'userId' | 'changedAt'>;
