import { Injectable } from '@nestjs/common';
import { Prisma } from '../../generated/prisma/client.js';
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

const BEYOND_ALL_IDS = 2n ** 63n - 1n;

const SELECT = {
  id: true,
  at: true,
  action: true,
  outcome: true,
  code: true,
  actor: true,
  sessionId: true,
  entityType: true,
  entityId: true,
  before: true,
  after: true,
  address: true,
  userAgent: true,
  requestId: true,
} satisfies Prisma.AuditEntrySelect;

// `id` in an ORDER BY would be this text, in which 99 comes after 100: order by the id of the table.
const COLUMNS = `id::text, at, action, outcome, code, actor, session_id AS "sessionId", entity_type AS "entityType",
  entity_id AS "entityId", before, after, address, user_agent AS "userAgent", request_id AS "requestId"`;
const OF_PERSON = ['actor = $1', `entity_type = 'user' AND entity_id = $2`].map(
  (condition) => `(
    SELECT * FROM audit_entries WHERE ${condition} AND id < $3::bigint AND action <> ALL ($5::text[])
    ORDER BY id DESC LIMIT $4)`,
);

// SQL: something Prisma cannot say: a UNION, whose sides each read one page of their own index
const PAGE_OF_PERSON = `SELECT ${COLUMNS} FROM (${OF_PERSON.join(' UNION ')}) entry ORDER BY entry.id DESC LIMIT $4`;

/** Reads the audit trail, newest first. */
@Injectable()
export class AuditReader {
  constructor(private readonly database: Database) {}

  /** @throws InvalidCursorError */
  async page(filter: AuditFilter, { limit, cursor }: AuditPage): Promise<Page<AuditEntry>> {
    const { actor, action, entityType, entityId, outcome, from, to } = filter;
    const rows = await this.database.prisma((prisma) =>
      prisma.auditEntry.findMany({
        where: {
          id: { lt: idBefore(cursor) },
          actor: actor ?? Prisma.skip,
          action: action ?? Prisma.skip,
          entityType: entityType ?? Prisma.skip,
          entityId: entityId ?? Prisma.skip,
          outcome: outcome ?? Prisma.skip,
          at: {
            gte: from === undefined ? Prisma.skip : new Date(from),
            lt: to === undefined ? Prisma.skip : new Date(to),
          },
        },
        select: SELECT,
        orderBy: { id: 'desc' },
        take: limit + 1,
      }),
    );
    return toAuditPage(rows.map(toEntry), limit);
  }

  /** What a user did, and what was done to their account, `without` some actions. @throws InvalidCursorError */
  async pageOfPerson(
    userId: string,
    { limit, cursor }: AuditPage,
    without: readonly AuditAction[] = [],
  ): Promise<Page<AuditEntry>> {
    const values = [`user:${userId}`, userId, idBefore(cursor), limit + 1, without];
    return toAuditPage(await this.database.query<AuditEntry>('audit_of_person', PAGE_OF_PERSON, values), limit);
  }

  /** The latest entry about an entity; null when there is none. */
  async findLast(entity: { readonly type: AuditEntity['type']; readonly id: string }): Promise<AuditEntry | null> {
    const row = await this.database.prisma((prisma) =>
      prisma.auditEntry.findFirst({
        where: { entityType: entity.type, entityId: entity.id },
        select: SELECT,
        orderBy: { id: 'desc' },
      }),
    );
    return row && toEntry(row);
  }
}

/** The audit trail holds what {@link AuditWriter} took, whose types say more than the columns'. */
function toEntry(row: Prisma.AuditEntryGetPayload<{ select: typeof SELECT }>): AuditEntry {
  return { ...row, id: String(row.id) } as AuditEntry;
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
function idBefore(cursor: string | undefined): bigint {
  const position = decodeCursor('audit', cursor, [isBigint]);
  return position ? BigInt(position[0]) : BEYOND_ALL_IDS;
}
