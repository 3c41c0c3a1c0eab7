import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { within } from '../../../shared/deadline.js';
import { sha256 } from '../../crypto/digest.js';
import { newContext, runInContext } from '../../context/request-context.js';
import { clientAddressReader } from '../../http/client-address.js';
import { validated } from '../../http/validation/validation.js';
import { DeviceAuthenticator } from '../../mqtt/device-authenticator.js';
import { CutoffRegistry } from '../../mqtt/limits/cutoff-registry.js';
import { DeviceLimiter } from '../../mqtt/limits/device-limiter.js';
import { FailedLoginLimiter, type LoginAttempt } from '../../mqtt/limits/failed-login-limiter.js';
import { RejectedMessages } from '../../mqtt/rejected-messages.js';
import { WrongClientTypeError } from '../socket.errors.js';
import { DeviceHandshakeDto } from './device-handshake.dto.js';
import { DeviceSocketRegistry } from './device-socket-registry.js';
import { DeviceCutOffError, DeviceRateLimitedError, DeviceTokenRefusedError } from './device-socket.errors.js';
import type { DeviceSocket } from './device-sockets.js';

const LOGIN_TIMEOUT_MS = 5_000;
/** As long as the limit of failed logins looks back, and after a login too many. */
const AGAIN_AFTER_S = { too_many_failures: 60, too_many_logins: 5 } as const;

/** Whether a socket is the device that it says it is: within the limits that MQTT has for logins. */
@Injectable()
export class DeviceSocketAuthenticator {
  readonly #addressOf;

  constructor(
    private readonly authenticator: DeviceAuthenticator,
    private readonly registry: DeviceSocketRegistry,
    private readonly logins: FailedLoginLimiter,
    private readonly limiter: DeviceLimiter,
    private readonly cutoffs: CutoffRegistry,
    private readonly refusals: RejectedMessages,
    config: AppConfig,
  ) {
    this.#addressOf = clientAddressReader(config.http);
  }

  /**
   * @returns the device, which the registry expects from now on
   * @throws WrongClientTypeError, InvalidRequestError, DeviceTokenRefusedError, DeviceCutOffError, DeviceRateLimitedError
   */
  async authenticate(socket: DeviceSocket): Promise<string> {
    const { auth } = socket.handshake;
    const clientType: unknown = auth.clientType;
    if (clientType === 'dashboard') {
      throw new WrongClientTypeError('device');
    }
    const address = this.#addressOf(socket.request);
    const { deviceId, token } = await validated(DeviceHandshakeDto, auth);
    const attempt = { address, deviceId, token: Buffer.from(token) };
    if (this.logins.isRefused(attempt)) {
      throw this.refuse('too_many_failures', null);
    }
    const cutMs = this.cutoffs.remainingMs(deviceId);
    if (cutMs > 0) {
      this.refusals.operation('connect', 'cut_off', { deviceId });
      throw new DeviceCutOffError(cutMs);
    }
    // Known from here on, so that a revocation also reaches a login that is under way.
    this.registry.expect(deviceId, socket);
    try {
      await this.verify(socket, attempt);
    } catch (error) {
      this.registry.forget(deviceId, socket);
      throw error;
    }
    return deviceId;
  }

  private async verify(socket: DeviceSocket, attempt: LoginAttempt): Promise<void> {
    const { deviceId } = attempt;
    const token = attempt.token.toString('utf8');
    // In the name of the device, so that logins have no more of the database than its messages.
    const isValid = await within(
      LOGIN_TIMEOUT_MS,
      runInContext(newContext('websocket', `device:${deviceId}`), () => this.authenticator.verify(deviceId, token)),
    );
    this.logins[isValid ? 'succeeded' : 'failed'](attempt);
    if (!isValid || this.registry.isRetired(socket)) {
      this.refusals.operation('connect', 'bad_token', { deviceId });
      throw new DeviceTokenRefusedError(token.split('.').length === 3);
    }
    if (!this.limiter.admitsLogin(deviceId)) {
      throw this.refuse('too_many_logins', deviceId);
    }
    this.registry.proven(socket, sha256(token));
  }

  /** @param proven the device, if it has shown its token */
  private refuse(limit: keyof typeof AGAIN_AFTER_S, proven: string | null): DeviceRateLimitedError {
    this.refusals.operation('connect', limit, proven === null ? {} : { deviceId: proven, proven: true });
    return new DeviceRateLimitedError(limit, AGAIN_AFTER_S[limit]);
  }
}
