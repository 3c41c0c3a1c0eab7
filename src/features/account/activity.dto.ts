import { ApiProperty } from '@nestjs/swagger';
import type { AuditAction, AuditEntity } from '../../contracts/audit.js';
import type { AuditEntry, AuditOutcome } from '../../platform/audit/audit-reader.js';
import type { Page } from '../../shared/paging.js';

const REPEATED: AuditAction = 'refresh_repeated';
const MINUTE_MS = 60_000;

/** Something I did, or that was done to my account. */
export class ActivityDto {
  /** @example 4711 */
  id!: string;

  /**
   * RFC 3339; of `refresh_repeated`, which is listed a minute later, the minute.
   * @example 2026-11-20T18:00:00.000Z
   */
  at!: string;

  /** @example login */
  action!: AuditAction;

  /** @example success */
  outcome!: AuditOutcome;

  /** Code of the problem, where it failed; null otherwise. */
  @ApiProperty({ example: null })
  code!: string | null;

  /** Whether it was me; otherwise an administrator, or the system. */
  byMe!: boolean;

  /**
   * What it was about.
   * @example session
   */
  entityType!: AuditEntity['type'] | null;

  /**
   * Mostly a UUID; of a signing key its `kid`, of a blocked address the address.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  entityId!: string | null;

  /**
   * Where I did it from; null for what others did.
   * @example 192.0.2.7
   */
  address!: string | null;

  /**
   * What I did it with; null for what others did.
   * @example "Mortise/1.0 (iPhone)"
   */
  userAgent!: string | null;
}

/** One page of activity, newest first. */
export class ActivityPageDto {
  items!: ActivityDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJhdWRpdCIsIjQ3MTEiXQ
   */
  nextCursor!: string | null;
}

/**
 * A repeated refresh is listed after a minute, and to the minute: a thief who polls with a stolen token does not learn from it
 * when a token was exchanged, in time to present its predecessor.
 */
export function toActivityPageDto(
  { items, nextCursor }: Page<AuditEntry>,
  userId: string,
  now = Date.now(),
): Readonly<ActivityPageDto> {
  const listed = items.filter(({ action, at }) => action !== REPEATED || at.getTime() < now - MINUTE_MS);
  return { items: listed.map((entry) => toActivityDto(entry, userId)), nextCursor };
}

function toActivityDto(entry: AuditEntry, userId: string): Readonly<ActivityDto> {
  const byMe = entry.actor === `user:${userId}`;
  return {
    id: entry.id,
    at: (entry.action === REPEATED ? minuteOf(entry.at) : entry.at).toISOString(),
    action: entry.action,
    outcome: entry.outcome,
    code: entry.code,
    byMe,
    entityType: entry.entityType,
    entityId: entry.entityId,
    address: byMe ? entry.address : null,
    userAgent: byMe ? entry.userAgent : null,
  };
}

function minuteOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS);
}
