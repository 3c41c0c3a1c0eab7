import { Injectable } from '@nestjs/common';
import type { AuditAction, AuditEntity } from '../../contracts/audit.js';
import { decodeCursor, encodeCursor, isBigint } from '../../shared/cursor.js';
import { type Page, toPage } from '../../shared/paging.js';
import { Database } from '../prisma/database.js';

export const AUDIT_OUTCOMES = ['success', 'failure'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** One entry of the audit trail. */
export interface AuditEntry {
  /** Grows; a decimal number in text. */
  readonly id: string;
  readonly at: Date;
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  /** Of the problem, where it failed. */
  readonly code: string | null;
  readonly actor: string;
  readonly sessionId: string | null;
  readonly entityType: AuditEntity['type'] | null;
  readonly entityId: string | null;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}

/** Which entries: those to which everything that is given applies. */
export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly entityType?: AuditEntity['type'] | undefined;
  readonly entityId?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  /** RFC 3339, inclusive. */
  readonly from?: string | undefined;
  /** RFC 3339, exclusive. */
  readonly to?: string | undefined;
}

export interface AuditPage {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Filters come in many shapes: PostgreSQL plans each with its values before its eyes. */
const UNPREPARED = '';
// `id` in an ORDER BY would be this text, in which 99 comes after 100: order by the id of the table.
const COLUMNS = `id::text, at, action, outcome, code, actor, session_id AS "sessionId", entity_type AS "entityType",
  entity_id AS "entityId", before, after, address, user_agent AS "userAgent", request_id AS "requestId"`;
const BEYOND_ALL_IDS = String(2n ** 63n - 1n);

/** Reads the audit trail, newest first. */
@Injectable()
export class AuditReader {
  constructor(private readonly database: Database) {}

  /** @throws InvalidCursorError */
  async page(filter: AuditFilter, { limit, cursor }: AuditPage): Promise<Page<AuditEntry>> {
    const before = idBefore(cursor);
    const values: unknown[] = [];
    const bind = (value: unknown): string => `$${String(values.push(value))}`;
    const where = [
      filter.actor === undefined ? null : `actor = ${bind(filter.actor)}`,
      filter.action === undefined ? null : `action = ${bind(filter.action)}`,
      filter.entityType === undefined ? null : `entity_type = ${bind(filter.entityType)}`,
      filter.entityId === undefined ? null : `entity_id = ${bind(filter.entityId)}`,
      filter.outcome === undefined ? null : `outcome = ${bind(filter.outcome)}`,
      filter.from === undefined ? null : `at >= ${bind(filter.from)}::timestamptz`,
      filter.to === undefined ? null : `at < ${bind(filter.to)}::timestamptz`,
      before === undefined ? null : `id < ${bind(before)}::bigint`,
    ].filter((condition) => condition !== null);
    const rows = await this.database.query<AuditEntry>(
      UNPREPARED,
      `SELECT ${COLUMNS} FROM audit_entries entry ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
       ORDER BY entry.id DESC LIMIT ${bind(limit + 1)}`,
      values,
    );
    return toAuditPage(rows, limit);
  }

  /** What a person did, and what was done to their account. @throws InvalidCursorError */
  async pageOfPerson(userId: string, { limit, cursor }: AuditPage): Promise<Page<AuditEntry>> {
    const before = idBefore(cursor) ?? BEYOND_ALL_IDS;
    const side = (condition: string): string =>
      `(SELECT * FROM audit_entries WHERE ${condition} AND id < $3::bigint ORDER BY id DESC LIMIT $4)`;
    // Each side by its own index, and only as much of it as is shown.
    const rows = await this.database.query<AuditEntry>(
      'audit_of_person',
      `SELECT ${COLUMNS} FROM (${side('actor = $1')} UNION ${side(`entity_type = 'user' AND entity_id = $2`)}) mine
       ORDER BY mine.id DESC LIMIT $4`,
      [`user:${userId}`, userId, before, limit + 1],
    );
    return toAuditPage(rows, limit);
  }

  /** What was recorded of one thing, the latest entry; null when there is none. */
  async findLast(entity: { readonly type: AuditEntity['type']; readonly id: string }): Promise<AuditEntry | null> {
    const [entry] = await this.database.query<AuditEntry>(
      'audit_find_last',
      `SELECT ${COLUMNS} FROM audit_entries entry WHERE entity_type = $1 AND entity_id = $2 ORDER BY entry.id DESC LIMIT 1`,
      [entity.type, entity.id],
    );
    return entry ?? null;
  }
}

function toAuditPage(rows: readonly AuditEntry[], limit: number): Page<AuditEntry> {
  return toPage(
    rows,
    limit,
    (entry) => entry,
    ({ id }) => encodeCursor('audit', [id]),
  );
}

/** @throws InvalidCursorError */
function idBefore(cursor: string | undefined): string | undefined {
  return decodeCursor('audit', cursor, [isBigint])?.[0];
}
