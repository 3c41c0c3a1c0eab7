/**
 * Time as the application sees it. Tokens, lockouts, deadlines are *not* decided by it but by the database clock; this
 * one serves timers and measurements, and tests replace it.
 */
export abstract class Clock {
  /** Milliseconds since the epoch. */
  abstract now(): number;
  /** Milliseconds on a clock that never jumps. */
  abstract monotonic(): number;
}
