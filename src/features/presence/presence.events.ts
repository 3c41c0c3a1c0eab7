import type { LinkKind } from '../../contracts/devices.js';
import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** The first link of a boot was opened, or the boot is a new one. */
export class DeviceConnectedPayload implements PayloadOf<'device_connected'> {
  link!: LinkKind;
  /** Random id that the device made at its last start. */
  boot!: string;
  firmwareVersion?: string;
}

/** The last link of a boot was closed. */
export class DeviceDisconnectedPayload implements PayloadOf<'device_disconnected'> {
  link!: LinkKind;
  boot!: string;
  /**
   * `silence`: three missed heartbeats. `will`: the broker published the device's last will, or its socket ended. `replaced`: a new boot.
   * `cut_off`: the device went on beyond its limits. `token_ended`: the token by which it was connected is not valid any more.
   */
  reason!: 'will' | 'silence' | 'replaced' | 'goodbye' | 'cut_off' | 'token_ended';
}

/** A device was silent for 24 hours, or for three intervals of its heartbeats if that is longer. */
export class DeviceInactivePayload implements PayloadOf<'device_inactive'> {
  /** RFC 3339. */
  lastSeenAt!: string;
}

/** The status of a device changed. */
export class StatusChangedPayload implements PayloadOf<'status_changed'> {
  status!: string;
  previous!: string;
}

export const PRESENCE_EVENTS = {
  device_connected: DeviceConnectedPayload,
  device_disconnected: DeviceDisconnectedPayload,
  device_inactive: DeviceInactivePayload,
  status_changed: StatusChangedPayload,
} satisfies EventDeclaration;
