import type { PayloadOf } from '../../contracts/events.js';
import type { DeviceType } from '../../contracts/devices.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** A device was added to an account. */
export class DeviceRegisteredPayload implements PayloadOf<'device_registered'> {
  name!: string;
  type!: DeviceType;
  /** Serial number or MAC. */
  hardwareId!: string;
}

/** A device got a token for its code; its earlier ones ended. */
export class DeviceActivatedPayload implements PayloadOf<'device_activated'> {
  name!: string;
}

/** A device has a new owner. */
export class DeviceTransferredPayload implements PayloadOf<'device_transferred'> {
  name!: string;
  /** Who handed it on. */
  previousOwnerId!: string;
}

/** What the owner says of a device changed. */
export class DeviceUpdatedPayload implements PayloadOf<'device_updated'> {
  /** Names of the members that changed. */
  changed!: string[];
}

/** A device was removed, with its commands and tokens. */
export class DeviceDeletedPayload implements PayloadOf<'device_deleted'> {
  name!: string;
  hardwareId!: string;
}

export const DEVICES_EVENTS = {
  device_registered: DeviceRegisteredPayload,
  device_activated: DeviceActivatedPayload,
  device_transferred: DeviceTransferredPayload,
  device_updated: DeviceUpdatedPayload,
  device_deleted: DeviceDeletedPayload,
} satisfies EventDeclaration;
