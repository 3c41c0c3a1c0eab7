import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { setAuditTarget } from '../../../platform/audit/audit.decorator.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { networkKey } from '../../../platform/http/client-address.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { canonicalIdentifier } from '../../../shared/identifiers.js';
import { UserPasswordsService } from '../../users/user-passwords.service.js';
import type { PasswordState } from '../../users/users.types.js';
import {
  AccountBlockedError,
  InvalidCredentialsError,
  LoginThrottledError,
  PasswordChangeRequiredError,
} from '../auth.errors.js';
import type { ClientInfo, Credentials, SignedIn } from '../auth.types.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { type OneTimePayloads, OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { KnownDevicesService } from './known-devices.service.js';
import { LoginAlertsService } from './login-alerts.service.js';
import { LoginThrottleRepository, type ThrottleKey } from './login-throttle.repository.js';

/** `identifier` and this together are as long as `user` and a UUID; 180 bits. */
const HIDDEN_NAME_LENGTH = 30;
const CHANGE_TOKEN_TTL_MS = 10 * 60_000;

/** From identifier and password to a session. Attempts are counted, and bursts of failed ones raise an alert. */
@Injectable()
export class LoginService {
  readonly #maxAgeMs: number | null;
  readonly #oneTimeLifeMs: number;
  readonly #nameKey: Buffer;

  constructor(
    config: AppConfig,
    private readonly passwords: UserPasswordsService,
    private readonly throttle: LoginThrottleRepository,
    private readonly devices: KnownDevicesService,
    private readonly alerts: LoginAlertsService,
    private readonly tokens: OneTimeTokensService,
    private readonly sessions: SessionsService,
    private readonly transactions: Transactions,
  ) {
    this.#maxAgeMs = config.passwords.maxAgeMs;
    this.#oneTimeLifeMs = config.passwords.oneTimeLifeMs;
    this.#nameKey = deriveKey(config.masterKey(), 'hide_identifiers');
  }

  /**
   * Opens a session.
   * @throws InvalidCredentialsError, LoginThrottledError: the same, after the same time, for accounts that do not exist
   * @throws AccountBlockedError, PasswordChangeRequiredError once the password was right
   * @throws BusyError when too many are signing in
   */
  async login(credentials: Credentials, client: ClientInfo): Promise<SignedIn> {
    const verified = await this.verify(credentials, client);
    if (verified.blocked) {
      throw new AccountBlockedError();
    }
    await this.refuseOutdated(verified);
    const { knownDevice: shown, rememberMe = false } = credentials;
    const isCurrent = shown !== undefined && this.devices.isCurrent(shown, verified);
    const knownDevice = isCurrent ? shown : this.devices.issue(verified);
    const { user, session } = await this.transactions.run(async () => {
      const user = await this.passwords.recordLogin(verified);
      if (!user) {
        // The password was changed meanwhile: the change ended all sessions, and would not end this one.
        throw new InvalidCredentialsError();
      }
      const session = await this.sessions.open(user, { ...client, rememberMe, knownDevice });
      if (!isCurrent) {
        await this.alerts.recordSignIn(session.principal, client);
      }
      return { user, session };
    });
    return { ...(await this.sessions.tokensOf(session)), user, knownDevice };
  }

  /** Counts the attempt, and verifies the password. @throws InvalidCredentialsError, LoginThrottledError, BusyError */
  private async verify({ identifier, password, knownDevice }: Credentials, client: ClientInfo): Promise<PasswordState> {
    const name = canonicalIdentifier(identifier);
    this.auditHiddenName(name);
    const key = await this.throttleKeyOf(name, knownDevice, client);
    await this.consume(key, name);
    const verified = await this.throttle.judge(key, () => this.passwords.verify(name, password), name);
    if (!verified || this.hasLapsed(verified)) {
      await this.recordFailure('credentials', key, name);
      throw new InvalidCredentialsError();
    }
    setAuditTarget({ type: 'user', id: verified.userId });
    await this.throttle.refund(key);
    return verified;
  }

  private async consume(key: ThrottleKey, name: string): Promise<void> {
    try {
      await this.throttle.consume(key, name);
    } catch (error) {
      if (error instanceof LoginThrottledError) {
        await this.recordFailure('throttled', key, name);
      }
      throw error;
    }
  }

  /** A one-time password that was not used in time is as wrong as any other. */
  private hasLapsed({ mustChange, ageMs }: PasswordState): boolean {
    return mustChange && ageMs > this.#oneTimeLifeMs;
  }

  private async recordFailure(reason: 'credentials' | 'throttled', key: ThrottleKey, name: string): Promise<void> {
    const userId = (await this.passwords.findState(name))?.userId ?? null;
    if (userId !== null) {
      setAuditTarget({ type: 'user', id: userId });
    }
    await this.alerts.recordFailure(reason, key.account, userId);
  }

  /**
   * The audit trail gets a keyed hash, because people type their passwords into this field, too. It is made for every
   * login, and cut so that the entry is as long as one about a person: neither time nor size tells which it is.
   */
  private auditHiddenName(name: string): void {
    const hash = createHmac('sha256', this.#nameKey).update(name).digest('base64url');
    setAuditTarget({ type: 'identifier', id: hash.slice(0, HIDDEN_NAME_LENGTH) });
  }

  private async throttleKeyOf(name: string, knownDevice: string | undefined, { ip }: ClientInfo): Promise<ThrottleKey> {
    const account = sha256(`name:${name}`);
    const owner = knownDevice === undefined ? null : await this.passwords.findState(name);
    const deviceId = knownDevice !== undefined && owner ? this.devices.verify(knownDevice, owner) : null;
    return deviceId === null
      ? { account, origin: `address:${networkKey(ip ?? 'unknown')}`, trusted: false }
      : { account, origin: `device:${deviceId}`, trusted: true };
  }

  /** Refuses a right password that is too old, or was set by an administrator: a login with it may only choose another. */
  private async refuseOutdated(verified: PasswordState): Promise<void> {
    if (verified.mustChange) {
      throw new PasswordChangeRequiredError(await this.changeToken(verified), 'reset');
    }
    if (this.#maxAgeMs !== null && verified.ageMs > this.#maxAgeMs) {
      throw new PasswordChangeRequiredError(await this.changeToken(verified), 'expired');
    }
  }

  /**
   * Holds the account from the password to its token: a reset that commits in between would not end a token that is issued
   * after it. In a transaction of its own, because the request fails.
   */
  private changeToken(verified: PasswordState): Promise<string> {
    return this.transactions.independently(async () => {
      if (!(await this.passwords.lock(verified))) {
        throw new InvalidCredentialsError();
      }
      const payload = verified.mustChange ? await this.consumeOneTimePassword(verified) : {};
      return this.tokens.issue('password_change', { userId: verified.userId, payload, ttlMs: CHANGE_TOKEN_TTL_MS });
    });
  }

  private async consumeOneTimePassword(verified: PasswordState): Promise<OneTimePayloads['password_change']> {
    const used = await this.passwords.consumeOneTimePassword(verified);
    if (used === null) {
      throw new InvalidCredentialsError();
    }
    return { used };
  }
}
