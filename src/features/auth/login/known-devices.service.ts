import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { equalInConstantTime, sha256 } from '../../../platform/crypto/digest.js';
import { UserPasswordsService } from '../../users/user-passwords.service.js';
import type { PasswordState } from '../../users/users.types.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';

/** Random, and two tags: one for each name of the account, of 32 bits, which only this server can be asked about. */
const RANDOM_BYTES = 8;
const TAG_BYTES = 4;
const ID_BYTES = RANDOM_BYTES + 2 * TAG_BYTES;
const MAC_BYTES = 32;
const TOKEN_LENGTH = ((ID_BYTES + MAC_BYTES) * 4) / 3;

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
    private readonly passwords: UserPasswordsService,
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
    const id = this.idFor(owner);
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

  /** Whether the token is for this account and its present password, and names it as it is named now. */
  isCurrent(token: string, owner: KnownTo): boolean {
    const names = owner.username === null ? [owner.email] : [owner.email, owner.username];
    return this.verify(token, owner) !== null && names.every((name) => this.isOfName(token, name));
  }

  /** The same, asking the database. @throws UserNotFoundError */
  async isCurrentOf(token: string, userId: string): Promise<boolean> {
    return this.isCurrent(token, await this.passwords.getState(userId));
  }

  /**
   * Whether the token was issued for the account with this name; it may have ended since. That needs no database, so it
   * decides only whose limits hold. Nothing but the name is proven: the rest of the token may be made up.
   */
  isOfName(token: string, name: string): boolean {
    const bytes = Buffer.from(token.length === TOKEN_LENGTH ? token : '', 'base64url');
    const tag = this.tag(bytes.subarray(0, RANDOM_BYTES), name);
    return [RANDOM_BYTES, RANDOM_BYTES + TAG_BYTES].some(
      (start) => bytes.length > 0 && equalInConstantTime(bytes.subarray(start, start + TAG_BYTES), tag),
    );
  }

  private idFor({ email, username }: KnownTo): Buffer {
    const random = randomBytes(RANDOM_BYTES);
    const second = username === null ? randomBytes(TAG_BYTES) : this.tag(random, username);
    return Buffer.concat([random, this.tag(random, email), second]);
  }

  private tag(random: Buffer, name: string): Buffer {
    return createHmac('sha256', this.#key).update('name ').update(random).update(name).digest().subarray(0, TAG_BYTES);
  }

  private mac(id: Buffer, { userId, changedAt }: KnownTo): Buffer {
    const place = `${userId} ${String(changedAt.getTime())} `;
    return createHmac('sha256', this.#key).update(place).update(id).digest();
  }
}

type KnownTo = Pick<PasswordState, 'userId' | 'email' | 'username' | 'changedAt'>;
