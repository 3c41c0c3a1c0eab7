import type { DoorState, LockState } from '../../contracts/devices.js';
import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** A device reported another state of its lock or door. */
export class DoorStatusChangedPayload implements PayloadOf<'door_status_changed'> {
  /** `unknown`: the lock does not know where its bolt is. */
  lockState?: LockState | 'unknown';
  doorState?: DoorState;
  /** The command that caused it, as far as the device says. */
  commandId?: string;
  cause?: string;
}

export class MotionDetectedPayload implements PayloadOf<'motion_detected'> {
  /** 0 to 1. */
  confidence?: number;
  zone?: string;
}

export class SnapshotCapturedPayload implements PayloadOf<'snapshot_captured'> {
  reference?: string;
  quality?: string;
  commandId?: string;
}

export class LowBatteryPayload implements PayloadOf<'low_battery'> {
  /** Percent; left out where the device named none that exists. */
  battery?: number;
}

/** A device reported a fault of its own. */
export class ErrorOccurredPayload implements PayloadOf<'error_occurred'> {
  errorCode?: string;
  errorMessage?: string;
}

/**
 * What a vendor's device reports beyond the vocabulary: any members. Of an event with a type that is not in the
 * vocabulary, `type` and `data` as they were sent.
 */
export class CustomPayload implements Record<string, unknown> {
  [member: string]: unknown;
}

export const HISTORY_EVENTS = {
  door_status_changed: DoorStatusChangedPayload,
  motion_detected: MotionDetectedPayload,
  snapshot_captured: SnapshotCapturedPayload,
  low_battery: LowBatteryPayload,
  error_occurred: ErrorOccurredPayload,
  custom: CustomPayload,
} satisfies EventDeclaration;
