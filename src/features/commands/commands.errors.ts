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

/** Fails closed: the deadline of an order is on the uptime of its device, and this one would hold for weeks. */
export class DeviceUptimeFellError extends DomainError {
  readonly code = 'device_uptime_fell';
  readonly kind = 'conflict';
  constructor(deviceId: string) {
    super(
      'The uptime of the device fell although it did not start again, so no deadline can be given to it. Restart it.',
      { deviceId },
    );
  }
}

export class CommandNotSupportedError extends DomainError {
  readonly code = 'command_not_supported';
  readonly kind = 'conflict';
  constructor(name: CommandName, type: DeviceType) {
    super(`A device of type ${type} takes no ${name}.`, { name, type });
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
