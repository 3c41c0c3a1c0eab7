import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { setAuditTarget } from '../../../platform/audit/audit.decorator.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { networkKey } from '../../../platform/http/client-address.js';
import type { PasswordState } from '../../users/users.types.js';
import { UsersService } from '../../users/users.service.js';
import {
  AccountBlockedError,
  InvalidCredentialsError,
  LoginThrottledError,
  PasswordChangeRequiredError,
} from '../auth.errors.js';
import type { ClientInfo, Credentials } from '../auth.types.js';
import { KnownDevicesService } from './known-devices.service.js';
import { LoginAlertsService } from './login-alerts.service.js';
import { LoginThrottleService } from './login-throttle.service.js';
import type { ThrottleKey } from './login-throttle.repository.js';
import { type OneTimePayloads, OneTimeTokensService } from '../tokens/one-time-tokens.service.js';

/** `identifier` and this are as long as `user` and a UUID; 180 bits. */
const HIDDEN_NAME_LENGTH = 30;
const CHANGE_TOKEN_TTL_MS = 10 * 60_000;

/** Whether somebody is who they say: with a limit to how often one may try, and an eye on who tries too often. */
@Injectable()
export class LoginService {
  readonly #maxAgeMs: number | null;
  readonly #oneTimeLifeMs: number;
  readonly #nameKey: Buffer;

  constructor(
    config: AppConfig,
    private readonly users: UsersService,
    private readonly throttle: LoginThrottleService,
    private readonly devices: KnownDevicesService,
    private readonly alerts: LoginAlertsService,
    private readonly tokens: OneTimeTokensService,
  ) {
    this.#maxAgeMs = config.passwords.maxAgeMs;
    this.#oneTimeLifeMs = config.passwords.oneTimeLifeMs;
    this.#nameKey = deriveKey(config.masterKey(), 'hide_identifiers');
  }

  /**
   * @throws InvalidCredentialsError, LoginThrottledError: the same, after the same time, for accounts that do not exist
   * @throws AccountBlockedError, PasswordChangeRequiredError once the password was right
   * @throws BusyError when too many are signing in
   */
  async prove(credentials: Credentials, client: ClientInfo): Promise<PasswordState> {
    const name = credentials.identifier.toLowerCase().normalize('NFC');
    this.aimAtName(name);
    const key = await this.keyOf(name, credentials.knownDevice, client);
    const person = await this.attempt(key, name, credentials);
    if (person.blocked) {
      throw new AccountBlockedError();
    }
    await this.refuseOutdated(person);
    return person;
  }

  private async attempt(key: ThrottleKey, name: string, { password }: Credentials): Promise<PasswordState> {
    try {
      await this.throttle.admit(key, name);
    } catch (error) {
      if (error instanceof LoginThrottledError) {
        await this.failed('throttled', key, name);
      }
      throw error;
    }
    const person = await this.users.passwords.prove(name, password);
    if (!person || this.hasLapsed(person)) {
      await this.failed('credentials', key, name);
      throw new InvalidCredentialsError();
    }
    setAuditTarget({ type: 'user', id: person.userId });
    await this.throttle.forgive(key);
    return person;
  }

  /** A one-time password that was not used in time: from then on it is as wrong as any other. */
  private hasLapsed({ mustChange, ageMs }: PasswordState): boolean {
    return mustChange && ageMs > this.#oneTimeLifeMs;
  }

  private async failed(reason: 'credentials' | 'throttled', key: ThrottleKey, name: string): Promise<void> {
    const userId = (await this.users.passwords.stateOf(name))?.userId ?? null;
    if (userId !== null) {
      setAuditTarget({ type: 'user', id: userId });
    }
    await this.alerts.failed(reason, key.account, userId);
  }

  /**
   * By a keyed hash: people type their passwords there, too. Made for every login, and cut so that the entry is as long as
   * one about a person: neither time nor size tells which it is.
   */
  private aimAtName(name: string): void {
    const hash = createHmac('sha256', this.#nameKey).update(name).digest('base64url');
    setAuditTarget({ type: 'identifier', id: hash.slice(0, HIDDEN_NAME_LENGTH) });
  }

  private async keyOf(name: string, knownDevice: string | undefined, client: ClientInfo): Promise<ThrottleKey> {
    const account = sha256(`name:${name}`);
    const owner = knownDevice === undefined ? null : await this.users.passwords.stateOf(name);
    const deviceId = knownDevice !== undefined && owner ? this.devices.read(knownDevice, owner) : null;
    return deviceId === null
      ? { account, origin: `address:${networkKey(client.address ?? 'unknown')}`, trusted: false }
      : { account, origin: `device:${deviceId}`, trusted: true };
  }

  /** The password was right, and is good for being changed only. */
  private async refuseOutdated(person: PasswordState): Promise<void> {
    if (person.mustChange) {
      const used = await this.users.passwords.useUp(person);
      if (used === null) {
        throw new InvalidCredentialsError();
      }
      throw new PasswordChangeRequiredError(await this.changeToken(person, { used }), 'reset');
    }
    if (this.#maxAgeMs !== null && person.ageMs > this.#maxAgeMs) {
      throw new PasswordChangeRequiredError(await this.changeToken(person, {}), 'expired');
    }
  }

  private changeToken({ userId }: PasswordState, payload: OneTimePayloads['password_change']): Promise<string> {
    return this.tokens.issue('password_change', { userId, payload, ttlMs: CHANGE_TOKEN_TTL_MS });
  }
}
