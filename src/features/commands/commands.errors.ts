import { type CommandName, type CommandState } from '../../contracts/commands.js';
import { type DeviceType } from '../../contracts/devices.js';
import { NOT_FOUND } from '../../shared/common-problems.js';
import type { LinkLack } from './commands.types.js';
import { DomainError, AsProblem } from '../../shared/domain-error.js';

@AsProblem(NOT_FOUND)
export class CommandNotFoundError extends DomainError {
  constructor() {
    super('There is no such command for this device.', { resource: 'command' });
  }
}

const LACKS: Readonly<Record<LinkLack, string>> = {
  no_link: 'The device has no live connection',
  http_only: 'The device is connected over HTTP alone, which carries no orders',
  asleep: 'The device is asleep until about its next heartbeat',
};

/** Fails closed: a door must not open later, when the person at it has gone. */
@AsProblem(
  {
    code: 'device_offline',
    kind: 'conflict',
    meaning: 'No order reaches the device now.',
    cause:
      'It has no power or no network, it is connected over HTTP alone, or it is asleep until its next heartbeat: `detail` says which. A command that opens a door must not wait for it.',
    cure: 'Tell the user that the device cannot be reached. Try again when `reachable` of the device is true.',
  },
  '0198c1de-3f5b-7000-8000-3f3c0f6a7a55',
)
export class DeviceOfflineError extends DomainError {
  constructor(deviceId: string, lack: LinkLack = 'no_link') {
    super(`${LACKS[lack]}, and this command must not wait.`, { deviceId });
  }
}

/** Fails closed: the deadline of an order is on the uptime of its device, and this one would hold for weeks. */
@AsProblem(
  {
    code: 'device_uptime_fell',
    kind: 'conflict',
    meaning: 'No deadline can be given to an order for this device.',
    cause: 'Its uptime fell although it did not start again.',
    cure: 'Restart the device.',
  },
  '0198c1de-3f5b-7000-8000-3f3c0f6a7a55',
)
export class DeviceUptimeFellError extends DomainError {
  constructor(deviceId: string) {
    super(
      'The uptime of the device fell although it did not start again, so no deadline can be given to it. Restart it.',
      { deviceId },
    );
  }
}

@AsProblem(
  {
    code: 'command_not_supported',
    kind: 'conflict',
    meaning: 'A device of this type does not take the command.',
    cause: 'Locks lock and unlock; cameras and sensors do not.',
    cure: 'Offer only what the type of the device takes.',
  },
  'unlock_door',
  'camera',
)
export class CommandNotSupportedError extends DomainError {
  constructor(name: CommandName, type: DeviceType) {
    super(`A device of type ${type} takes no ${name}.`, { name, type });
  }
}

@AsProblem(
  {
    code: 'not_cancellable',
    kind: 'conflict',
    meaning: 'The command cannot be cancelled any more.',
    cause: 'It was sent, or it is settled.',
    cure: 'Read the command; its state says what came of it.',
  },
  'SENT',
)
export class CommandNotCancellableError extends DomainError {
  constructor(state: CommandState) {
    super(`Only a command that is still QUEUED can be cancelled; this one is ${state}.`, { state });
  }
}

@AsProblem(
  {
    code: 'queue_full',
    kind: 'too_many',
    meaning: 'Too many commands are waiting for this device.',
    cause: 'Commands were sent faster than the device executes them.',
    cure: 'Wait as long as `Retry-After` says, or cancel commands that wait.',
  },
  16,
)
export class CommandQueueFullError extends DomainError {
  constructor(limit: number) {
    super(`${String(limit)} commands are waiting for this device already.`, { limit, retryAfter: 5 });
  }
}
