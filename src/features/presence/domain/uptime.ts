/**
 * How far behind the newest report of its boot a later one may be and still change nothing: two processes share the
 * messages of a device, and their clocks and queues differ a little.
 */
export const OVERTAKEN_MS = 5_000;

/**
 * One further behind may be late, because a process or a broker stood still, or the device may have started again with the
 * same boot id a moment after it had started. The later start counts until the next report: deadlines by it are at worst
 * too short, never too long.
 *
 * One behind by more than this shows that the uptime fell: a counter of 32 bits wrapped (after 49.7 days), or a device
 * repeated its boot id.
 */
export const FALL_MS = 120_000;

/**
 * What may have waited longer than this in a hung process of ours says nothing about the presence of a device: it is dropped,
 * as if the process had ended, and the next heartbeat tells.
 */
export const MAX_WAITED_MS = 60_000;

/** Whether a later report of the same boot shows that the uptime fell. */
export function hasFallen(beforeMs: number, afterMs: number): boolean {
  return afterMs < beforeMs - FALL_MS;
}

/** What the owner of a device is told of its uptime. */
export const UPTIME_FELL =
  'The uptime fell although boot stayed the same: no unlock_door is sent until the device starts with another boot, ' +
  'or until a report shows that it did not fall.';
export const UPTIME_UNKNOWN =
  'The report that brought it online had no uptimeMs that can be used: no command is sent until one has it.';
