import { DomainError, type FieldError, AsProblem } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'device_not_found',
    kind: 'not_found',
    meaning: 'There is no such device.',
    cause: 'It was deleted while the request was under way.',
    cure: 'Read the list again.',
  },
  '0198c1de-3f5b-7000-8000-3f3c0f6a7a55',
)
export class DeviceNotFoundError extends DomainError {
  constructor(deviceId: string) {
    super('There is no such device.', { deviceId });
  }
}

@AsProblem({
  code: 'hardware_id_taken',
  kind: 'conflict',
  meaning: 'You have a device with this hardware id.',
  cause:
    'You registered or claimed it before, perhaps in another spelling: case, blanks and the signs . _ : - make no difference.',
  cure: 'Look it up in your list with `q`. Delete it there to register it anew.',
})
export class HardwareIdTakenError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`hardwareId` belongs to a device that you have', pointer: '/hardwareId' },
  ];

  constructor(options?: ErrorOptions) {
    super('You have a device with this hardware id already.', {}, options);
  }
}

@AsProblem(
  {
    code: 'too_many_devices',
    kind: 'conflict',
    meaning: 'You own as many devices as one account may.',
    cause: 'The limit of devices of one owner was reached.',
    cure: 'Delete a device that is not in use any more.',
  },
  1_000,
)
export class TooManyDevicesError extends DomainError {
  constructor(max: number) {
    super(`A person may own ${String(max)} devices. Delete one that is not in use any more.`, { max });
  }
}

@AsProblem({
  code: 'device_changed',
  kind: 'precondition_failed',
  meaning: 'The device is not in the version that `If-Match` names.',
  cause: 'It was changed after you read it.',
  cure: 'Read it again, decide again, and send the change with the new `ETag`.',
})
export class DeviceChangedError extends DomainError {
  constructor() {
    super('The device is not in the version that If-Match names. Read it again.');
  }
}
