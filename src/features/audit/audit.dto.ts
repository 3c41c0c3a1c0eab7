import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsString, Length, Matches } from 'class-validator';
import type { AuditAction, AuditEntityType } from '../../contracts/audit.js';
import { AUDIT_OUTCOMES, type AuditEntry, type AuditOutcome } from '../../platform/audit/audit-reader.js';
import { IfGiven } from '../../platform/http/members/if-given.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { IsTimestamp } from '../../platform/http/members/timestamp.validator.js';
import { SpelledAsId } from '../../platform/http/members/id.decorator.js';

/** Which entries; everything that is given must apply. */
export class AuditQueryDto extends PageQueryDto {
  /**
   * Who did it: `user:<id>`, `device:<id>`, `system` or `anonymous`.
   * @example user:019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @IsString()
  @Matches(/^[a-z]{1,20}(:[\w-]{1,64})?$/, { message: 'must be an actor such as user:<id>' })
  actor?: string;

  /** @example user_blocked */
  @IfGiven()
  @IsString()
  action?: AuditAction;

  /** @example user */
  @IfGiven()
  @IsString()
  entityType?: AuditEntityType;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  @IfGiven()
  @SpelledAsId()
  @IsString()
  @Length(1, 100)
  @Matches(/^\P{Cc}*$/u, { message: 'must not contain control characters' })
  entityId?: string;

  /** @example failure */
  @IfGiven()
  @IsIn(AUDIT_OUTCOMES)
  outcome?: AuditOutcome;

  /** At or after this time (RFC 3339). */
  @IfGiven()
  @IsTimestamp()
  from?: string;

  /** Before this time (RFC 3339). */
  @IfGiven()
  @IsTimestamp()
  to?: string;
}

/** Who did what, to what, from where, with what outcome. */
export class AuditEntryDto {
  /** @example 4711 */
  id!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  at!: string;

  /** @example user_blocked */
  action!: AuditAction;

  /** @example success */
  outcome!: AuditOutcome;

  /** Code of the problem, where it failed; null otherwise. */
  @ApiProperty({ example: null })
  code!: string | null;

  /**
   * `user:<id>`, `device:<id>`, `system`, or `anonymous` before a login.
   * @example user:019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  actor!: string;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c56 */
  sessionId!: string | null;

  /** @example user */
  entityType!: AuditEntityType | null;

  /**
   * Mostly a UUID; of a signing key its `kid`, of a blocked address the address.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c56
   */
  entityId!: string | null;

  /**
   * What changed, before.
   * @example { "status": "active" }
   */
  before!: Record<string, unknown> | null;

  /**
   * What changed, after.
   * @example { "status": "blocked" }
   */
  after!: Record<string, unknown> | null;

  /** @example 192.0.2.7 */
  address!: string | null;

  /** @example "Mozilla/5.0 (X11; Linux x86_64)" */
  userAgent!: string | null;

  /**
   * `X-Request-Id` of the request.
   * @example 0198c1de-3f5b-7000-8000-3f3c0f6a7a55
   */
  requestId!: string | null;
}

/** One page of entries, newest first. */
export class AuditPageDto {
  items!: AuditEntryDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJhdWRpdCIsIjQ3MTEiXQ
   */
  nextCursor!: string | null;
}

export function toAuditEntryDto(entry: AuditEntry): Readonly<AuditEntryDto> {
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    action: entry.action,
    outcome: entry.outcome,
    code: entry.code,
    actor: entry.actor,
    sessionId: entry.sessionId,
    entityType: entry.entityType,
    entityId: entry.entityId,
    before: entry.before,
    after: entry.after,
    address: entry.address,
    userAgent: entry.userAgent,
    requestId: entry.requestId,
  };
}
