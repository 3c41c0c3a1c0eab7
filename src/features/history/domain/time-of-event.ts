/** What a device says of when an event happened. */
export interface DeviceTimes {
  /** By the time since its start. */
  readonly uptimeMs?: number;
  /** By its wall clock. */
  readonly occurredAt?: Date;
}

/** What is known of the boot that the event belongs to. */
export interface BootTimes {
  /** Null when it is not known. */
  readonly bootStartedAt: Date | null;
  /** When the event is received. */
  readonly now: Date;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** How far a wall clock may be off, and an uptime ahead of its last report. */
const TOLERANCE_MS = 5 * MINUTE;
/** History is kept that long: an event that says it is older has no good clock. */
const OLDEST_MS = 90 * DAY;

/**
 * When an event happened. The uptime decides, since no device can set it; a wall clock counts only where the uptime
 * says nothing and the clock is plausible. Never in the future, nor before the start of its boot.
 * @returns undefined when it is not known: then the event counts from when it is received
 */
export function timeOfEvent(
  { uptimeMs, occurredAt }: DeviceTimes,
  { bootStartedAt, now }: BootTimes,
): Date | undefined {
  const oldest = now.getTime() - OLDEST_MS;
  if (uptimeMs !== undefined && bootStartedAt) {
    return within(bootStartedAt.getTime() + uptimeMs, oldest, now);
  }
  const earliest = Math.max(oldest, (bootStartedAt?.getTime() ?? 0) - TOLERANCE_MS);
  return occurredAt && within(occurredAt.getTime(), earliest, now);
}

function within(time: number, earliest: number, now: Date): Date | undefined {
  const isPlausible = time >= earliest && time <= now.getTime() + TOLERANCE_MS;
  return isPlausible ? new Date(Math.min(time, now.getTime())) : undefined;
}
