/** So many per second in the long run, and so many at once after a pause. */
export interface BucketPolicy {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * What one device may send; `RATE_LIMIT_SCALE` multiplies all of it. A lock sends some messages a minute. The bursts are
 * for one that was offline: a thousand events, each in a message of its own, and the acks that it kept.
 */
export const DEVICE_LIMITS = {
  messages: { perSecond: 20, burst: 1_200 },
  /** What is read of the bursts at once: the rest follows within seconds, so that others do not notice it. */
  rush: { perSecond: 200, burst: 32 },
  rushBytes: { perSecond: 524_288, burst: 131_072 },
  bytes: { perSecond: 65_536, burst: 2_097_152 },
  events: { perSecond: 50, burst: 2_000 },
  acks: { perSecond: 5, burst: 300 },
  /** Births and wills: the reconnects of a device with a bad line. */
  statuses: { perSecond: 0.2, burst: 20 },
  /** New boot ids: restarts. */
  boots: { perSecond: 20 / 3_600, burst: 20 },
  logins: { perSecond: 0.2, burst: 30 },
} as const satisfies Record<string, BucketPolicy>;

/** What all devices of one owner may send, and all behind one address: the fair use of a building with a thousand locks. */
export const GROUP_LIMITS = {
  messages: { perSecond: 400, burst: 24_000 },
  bytes: { perSecond: 1_048_576, burst: 33_554_432 },
} as const satisfies Record<string, BucketPolicy>;

/** What each of a thousand devices may take of it: who sends no more does not count, and waits for no neighbour. */
export const GROUP_SHARE = {
  messages: { perSecond: 0.4, burst: 24 },
  bytes: { perSecond: 1_048, burst: 33_554 },
} as const satisfies Record<keyof typeof GROUP_LIMITS, BucketPolicy>;

/** Refusals, and seconds for which it had to wait, that a device may collect before it is cut. */
export const STRIKES = { perSecond: 0.5, burst: 300 } as const satisfies BucketPolicy;
