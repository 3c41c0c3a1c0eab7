import { HAS_TOKEN } from '../../devices/devices.types.js';
import { MISSED_HEARTBEATS, QUIET_HEARTBEATS } from '../domain/heartbeat-interval.js';

/** SQL: how long a device is silent that misses so many heartbeats. */
const missing = (heartbeats: number, intervalMs: string): string =>
  `make_interval(secs => ${intervalMs} * ${String(heartbeats / 1_000)}::float8)`;

/** SQL: how long nothing arrives before a link counts as silent whose device sends heartbeats so often. */
export const silenceAfter = (intervalMs: string): string => missing(MISSED_HEARTBEATS, intervalMs);

const LONG_SILENCE_H = 24;

/** SQL: the condition that a device `d` was silent for a day, or for three intervals of its heartbeats if that is longer. */
export const IS_LONG_SILENT = `d.last_seen_at
  < now() - greatest(make_interval(hours => ${String(LONG_SILENCE_H)}), ${silenceAfter('d.heartbeat_interval_ms')})`;

/** SQL: how long nothing arrives on a link `l` before it counts as silent. */
export const SILENCE = silenceAfter('l.heartbeat_interval_ms');

/** SQL: and before its device may have started again while its birth was lost. */
export const QUIETNESS = missing(QUIET_HEARTBEATS, 'l.heartbeat_interval_ms');

/** SQL: the condition that a link `l` of a device `d` counts as silent. One that was revoked says nothing any more. */
export const IS_SILENT = `(l.last_seen_at < now() - ${SILENCE} OR NOT ${HAS_TOKEN})`;

/** SQL: how long a link is not looked at: whatever its interval is, its device may be revoked. */
export const LONGEST_UNCHECKED = `interval '5 minutes'`;
