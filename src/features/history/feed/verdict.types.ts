import type { FeedRoom } from '../../../contracts/realtime.js';

/** Whether a person may see an event, and of which rooms they hear nothing any more. */
export interface Verdict {
  readonly maySee: boolean;
  readonly leaves: readonly FeedRoom[];
  /** When that was true, by `performance.now()`: who has joined since is not sent away. */
  readonly askedAt: number;
}

/** By user id. Who is not among them was not asked about: they began to listen since. */
export type Verdicts = ReadonlyMap<string, Verdict>;
