import { AsProblem, DomainError } from '../../../shared/domain-error.js';
import type { LimitCode } from '../../mqtt/limits/device-limiter.js';

/** The token is none of this device. */
@AsProblem(
  {
    code: 'device_token_refused',
    kind: 'unauthenticated',
    meaning: 'The device may not connect.',
    cause: 'The token is none of this device, it was revoked, or the device was deleted; which of these is not told.',
    cure: 'Take the token that the registration of the device answered with, or give it a new one.',
  },
  false,
)
export class DeviceTokenRefusedError extends DomainError {
  /** @param isAccessToken whether it has the form of an access token of a person */
  constructor(isAccessToken: boolean) {
    super(
      isAccessToken
        ? 'This is an access token of a person. A device has a token of its own, from its registration.'
        : 'The token is none of this device, or the device is gone.',
    );
  }
}

/** It went on beyond its limits. */
@AsProblem(
  {
    code: 'device_cut_off',
    kind: 'too_many',
    meaning: 'The device is cut off for a while.',
    cause: 'It went on beyond its limits, or went on sending what was refused.',
    cure: 'Wait as long as `retryAfter` says. The diagnostics of the device tell what it did.',
  },
  60_000,
)
export class DeviceCutOffError extends DomainError {
  constructor(remainingMs: number) {
    super('The device went on beyond its limits, and is cut off for a while.', {
      retryAfter: Math.ceil(remainingMs / 1_000),
    });
  }
}

/** What a device is beyond. */
export type DeviceSocketLimit = LimitCode | 'too_many_waiting' | 'too_many_logins' | 'too_many_failures';

@AsProblem(
  {
    code: 'device_rate_limited',
    kind: 'too_many',
    meaning: 'The device sends or connects more often than it may.',
    cause: 'One of the limits of docs/protocol.md is used up; `detail` names it.',
    cure: 'Wait as long as `retryAfter` says, then send the same again.',
  },
  'too_many_events',
  1,
)
export class DeviceRateLimitedError extends DomainError {
  constructor(
    readonly limit: DeviceSocketLimit,
    retryAfter: number,
  ) {
    super(`The device is beyond a limit: ${limit}.`, { retryAfter });
  }
}

/** Another connection of the same device came later. */
@AsProblem({
  code: 'device_replaced',
  kind: 'conflict',
  meaning: 'The device has connected again.',
  cause: 'A newer connection of the same device replaces the older one.',
  cure: 'Keep one connection. If two devices have the same id and token, give one of them its own.',
})
export class DeviceReplacedError extends DomainError {
  constructor() {
    super('A newer connection of this device replaces this one.');
  }
}

/** Nothing was heard on the connection. */
@AsProblem({
  code: 'device_silent',
  kind: 'conflict',
  meaning: 'The connection was silent for too long.',
  cause: 'No message came for 90 seconds, three heartbeats.',
  cure: 'Send `device_heartbeat` every 30 seconds, and connect again.',
})
export class DeviceSilentError extends DomainError {
  constructor() {
    super('Nothing was heard on this connection for 90 seconds.');
  }
}
