import type { Principal } from '../../../platform/auth/principal.js';
import type { Session } from '../auth.types.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** One signed-in client. Its times are rounded, so that they do not tell when its token was exchanged. */
export class SessionDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c56 */
  id!: string;

  /** Whether it is the session of this request. */
  current!: boolean;

  /**
   * What the user agent seems to be.
   * @example "Firefox on Windows"
   */
  device!: string;

  /**
   * IP address it signed in from; null where that is unknown.
   * @example 192.0.2.7
   */
  address!: string | null;

  /**
   * When it signed in, to the minute. RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;

  /**
   * When it was last used, to the minute. RFC 3339.
   * @example 2026-11-20T18:30:00.000Z
   */
  lastSeenAt!: string;

  /**
   * When it ends unless it is refreshed before, to the hour after it. RFC 3339.
   * @example 2026-11-27T19:00:00.000Z
   */
  expiresAt!: string;

  /** Whether it lasts longer (`rememberMe`). */
  rememberMe!: boolean;
}

/** All sessions of a person, the last seen first; there are never many, so there are no pages. */
export class SessionListDto {
  items!: SessionDto[];
}

/** How many sessions a logout ended. */
export class EndedSessionsDto {
  /**
   * How many sessions ended.
   * @example 2
   */
  ended!: number;
}

export function toSessionListDto(sessions: readonly Session[], current: Principal): Readonly<SessionListDto> {
  return { items: sessions.map((session) => toSessionDto(session, current)) };
}

function toSessionDto(session: Session, { sessionId }: Principal): Readonly<SessionDto> {
  return {
    id: session.id,
    current: session.id === sessionId,
    device: session.device,
    address: session.ip,
    createdAt: minuteOf(session.createdAt),
    lastSeenAt: minuteOf(session.lastSeenAt),
    expiresAt: hourAfter(session.expiresAt),
    rememberMe: session.rememberMe,
  };
}

function minuteOf(time: Date): string {
  return new Date(Math.floor(time.getTime() / MINUTE_MS) * MINUTE_MS).toISOString();
}

function hourAfter(time: Date): string {
  return new Date(Math.ceil(time.getTime() / HOUR_MS) * HOUR_MS).toISOString();
}
