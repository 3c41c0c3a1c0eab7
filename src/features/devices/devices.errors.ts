import { DomainError, type FieldError } from '../../shared/domain-error.js';

export class DeviceNotFoundError extends DomainError {
  readonly code = 'device_not_found';
  readonly kind = 'not_found';
  constructor(deviceId: string) {
    super('There is no such device.', { deviceId });
  }
}

export class HardwareIdTakenError extends DomainError {
  readonly code = 'hardware_id_taken';
  readonly kind = 'conflict';
  override readonly errors: readonly FieldError[] = [
    { detail: 'hardwareId belongs to a registered device', pointer: '/hardwareId' },
  ];

  constructor(options?: ErrorOptions) {
    super('A device with this hardware id is registered already.', {}, options);
  }
}

export class TooManyDevicesError extends DomainError {
  readonly code = 'too_many_devices';
  readonly kind = 'conflict';

  constructor(max: number) {
    super(`A person may own ${String(max)} devices. Delete one that is not in use any more.`, { max });
  }
}

export class DeviceChangedError extends DomainError {
  readonly code = 'device_changed';
  readonly kind = 'precondition_failed';
  constructor() {
    super('The device is not in the version that If-Match names. Read it again.');
  }
}
