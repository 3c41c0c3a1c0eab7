import { AsProblem, DomainError } from '../../../shared/domain-error.js';
import type { LimitCode } from '../limits/device-limiter.js';

/** Also of a device that does not exist, so that it does not tell which do. */
@AsProblem(
  {
    code: 'device_token_invalid',
    kind: 'unauthenticated',
    meaning: 'The request does not show which device sends it.',
    cause: 'Its token is missing, was revoked, or is that of another device than the one in the path, or of a person.',
    cure: 'Send the token that the device got when it was registered, as `Authorization: Bearer <device token>`.',
  },
  true,
)
export class DeviceTokenInvalidError extends DomainError {
  override readonly challenge?: string;

  constructor(hasToken: boolean) {
    super('This takes the header `Authorization: Bearer <device token>`, with a token of the device in the path.');
    if (hasToken) {
      this.challenge = 'The device token is not valid';
    }
  }
}

/** A limit of the device line, or of its logins. */
export type DeviceRequestLimit = LimitCode | 'too_many_failures' | 'too_many_waiting' | 'cut_off';

@AsProblem(
  {
    code: 'device_limited',
    kind: 'too_many',
    meaning: 'The device is beyond a limit of the device line.',
    cause: '`limit` names it: docs/protocol.md has them all. `cut_off`: it went on beyond its limits for too long.',
    cure: 'Wait as long as `Retry-After` says. Send several events in one request, and heartbeats as seldom as declared.',
  },
  'too_many_messages',
  1_000,
)
export class DeviceLimitedError extends DomainError {
  override readonly members: Readonly<Record<string, string>>;

  constructor(limit: DeviceRequestLimit, forMs: number) {
    super(`The device sends more than the device line takes: ${limit}.`, {
      limit,
      retryAfter: Math.max(1, Math.ceil(forMs / 1_000)),
    });
    this.members = { limit };
  }
}
