import type { Diagnostics } from './diagnostics.types.js';

/** One kind of refusal. */
export class RefusalDto {
  /**
   * Why: a limit (`too_many_messages`, `too_many_events`, `too_many_acks`, `too_many_statuses`, `too_many_boots`,
   * `too_many_logins`, `too_many_events_today`, `reads_too_slowly`, `cut_off`), or what was wrong with the message.
   * `bad_reading`: a reading was dropped, and the rest of its message taken. `uptime_fell`: the uptime fell within one
   * boot, and no `unlock_door` is sent until the device starts with another boot, or until a report shows that it did not
   * fall. `uptime_unknown`: the report that brought it online had no uptime that can be used, and no command is sent until
   * one has it.
   * @example too_many_messages
   */
  code!: string;

  /**
   * How often, since the first time.
   * @example 1204
   */
  count!: number;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  firstSeenAt!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:04:11.000Z
   */
  lastSeenAt!: string;

  /**
   * What was wrong the last time, where it can be said in a line.
   * @example /battery: battery must not be greater than 100
   */
  detail!: string | null;
}

/** What was refused of a device. */
export class DiagnosticsDto {
  /**
   * RFC 3339: until then the device may not log in, because it went on beyond its limits. Null when it may.
   * @example 2026-11-20T18:05:11.000Z
   */
  cutUntil!: string | null;

  /** The latest first. */
  refusals!: RefusalDto[];
}

export function toDiagnosticsDto({ cutUntil, refusals }: Diagnostics): Readonly<DiagnosticsDto> {
  return {
    cutUntil: cutUntil?.toISOString() ?? null,
    refusals: refusals.map(({ code, count, firstSeenAt, lastSeenAt, detail }) => ({
      code,
      count,
      firstSeenAt: firstSeenAt.toISOString(),
      lastSeenAt: lastSeenAt.toISOString(),
      detail,
    })),
  };
}
