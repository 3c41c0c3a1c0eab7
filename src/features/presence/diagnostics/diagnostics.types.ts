/** What was refused of a device, all refusals of one kind together. */
export interface RefusalCount {
  readonly code: string;
  readonly count: number;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly detail: string | null;
}

/** What a device is told about itself. */
export interface Diagnostics {
  /** Null when the device is not cut off. */
  readonly cutUntil: Date | null;
  readonly refusals: readonly RefusalCount[];
}

/** Refusals that wait to be written. */
export interface HeldRefusals {
  readonly deviceId: string;
  readonly code: string;
  readonly count: number;
  readonly detail: string | null;
  /** For how long they cut the device. */
  readonly cutMs: number | null;
}
