import { isAfter, type LogPosition } from './log-position.js';

/** Where an entry of the feed stands against what was delivered last. */
export type Fit = 'seen' | 'next' | 'gap';

/**
 * The stream may repeat itself, lose its past, or jump back; the position of an entry and of the one before it tell
 * which of these happened.
 */
export function fitOf(entry: { position: LogPosition; previous: LogPosition }, last: LogPosition): Fit {
  if (!isAfter(entry.position, last)) {
    return 'seen';
  }
  return isAfter(entry.previous, last) ? 'gap' : 'next';
}
