import { type CommandName, type CommandState } from '../../contracts/commands.js';
import { type DeviceType } from '../../contracts/devices.js';
import { DomainError } from '../../shared/domain-error.js';

export class CommandNotFoundError extends DomainError {
  readonly code = 'not_found';
  readonly kind = 'not_found';
  constructor() {
    super('There is no such command for this device.', { resource: 'command' });
  }
}

/** Fails closed: a door must not open later, when the person at it has gone. */
export class DeviceOfflineError extends DomainError {
  readonly code = 'device_offline';
  readonly kind = 'conflict';
  constructor(deviceId: string) {
    super('The device has no live connection, and this command must not wait for one.', { deviceId });
  }
}

export class CommandNotSupportedError extends DomainError {
  readonly code = 'command_not_supported';
  readonly kind = 'conflict';
  constructor(name: CommandName, type: DeviceType) {
    super(`A device of type ${type} takes no ${name}.`, { name, type });
  }
}

/** An administrator reset the password, or replaced the e-mail address, of the account that gives the command. */
export class UnlockRestrictedError extends DomainError {
  readonly code = 'unlock_restricted';
  readonly kind = 'forbidden';
  override readonly members: Readonly<Record<string, string>>;

  /** @param until when the account may unlock doors again. */
  constructor(until: Date) {
    super(
      'An administrator reset your password or replaced your e-mail address, so your account unlocks no door for 24 hours. ' +
        'Follow the link that was mailed to you when you chose the password, or reset the password by a link ' +
        '(POST /auth/forgot-password) if your e-mail address is older than seven days. lock_door works.',
    );
    this.members = { until: until.toISOString() };
  }
}

export class CommandNotCancellableError extends DomainError {
  readonly code = 'not_cancellable';
  readonly kind = 'conflict';
  constructor(state: CommandState) {
    super(`Only a command that is still QUEUED can be cancelled; this one is ${state}.`, { state });
  }
}

export class CommandQueueFullError extends DomainError {
  readonly code = 'queue_full';
  readonly kind = 'too_many';
  constructor(limit: number) {
    super(`${String(limit)} commands are waiting for this device already.`, { limit, retryAfter: 5 });
  }
}
