import type { DevicePermission } from '../../contracts/devices.js';
import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** A device was shared with a person. */
export class ShareGrantedPayload implements PayloadOf<'share_granted'> {
  shareId!: string;
  permission!: DevicePermission;
  /** The device, where the message goes to the recipient of the share: its own `deviceId` is null then. */
  deviceId?: string;
}

/** What a share gives, or when, was changed. */
export class ShareChangedPayload implements PayloadOf<'share_changed'> {
  shareId!: string;
  permission!: DevicePermission;
  /** The device, where the message goes to the recipient of the share: its own `deviceId` is null then. */
  deviceId?: string;
  /** Names of the members that changed. */
  changed!: string[];
}

/** A share ended. */
export class ShareRevokedPayload implements PayloadOf<'share_revoked'> {
  shareId!: string;
  permission!: DevicePermission;
  /** The device, where the message goes to the recipient of the share: its own `deviceId` is null then. */
  deviceId?: string;
  /** `left`: by its recipient. `handover`: the device got another owner, or was reset. `deleted`: the device was deleted. */
  reason!: 'revoked' | 'left' | 'handover' | 'deleted';
}

export const SHARING_EVENTS = {
  share_granted: ShareGrantedPayload,
  share_changed: ShareChangedPayload,
  share_revoked: ShareRevokedPayload,
} satisfies EventDeclaration;
