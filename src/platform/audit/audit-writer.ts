import { Injectable } from '@nestjs/common';
import type { AuditAction, AuditFacts, AuditIntent } from '../../contracts/audit.js';
import { type RequestContext, requestContext } from '../context/request-context.js';
import { Database } from '../prisma/database.js';
import { Transactions } from '../prisma/transactions.js';

const COLUMNS =
  'action, outcome, code, actor, session_id, entity_type, entity_id, before, after, address, user_agent, request_id';

/** One statement however many there are; ids follow the order of the records. */
// SQL: a set-based batch
const INSERT = `INSERT INTO audit_entries (${COLUMNS})
  SELECT ${COLUMNS} FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (action text, outcome text, code text, actor text,
      session_id uuid, entity_type text, entity_id text, before jsonb, after jsonb, address text, user_agent text,
      request_id text))
    WITH ORDINALITY AS r(${COLUMNS}, place)
  ORDER BY place`;

/** Facts for an action other than the one the route announced, such as an eviction that a login causes. */
export interface AuditRecord extends AuditFacts {
  readonly action?: AuditAction;
  /** Who did it, where the request itself does not say: a login, before there is a session. */
  readonly actor?: string;
}

/** A record with the request it belongs to. */
export interface RecordInContext {
  readonly context: RequestContext | undefined;
  readonly record: AuditRecord;
}

/**
 * Who did what, to what, from where. A success is part of the change's own transaction: one does not exist without
 * the other. A failure stands by itself, because the change was taken back.
 */
@Injectable()
export class AuditWriter {
  constructor(
    private readonly database: Database,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Records what the surrounding transaction did; without one, it is a transaction of its own. Inside a transaction it is
   * written when the work is done, with what the events are: the commit fails if the entry does.
   */
  async record(record: AuditRecord): Promise<void> {
    await this.recordEach([{ context: requestContext(), record }]);
  }

  /** The same for a transaction that serves many requests: each with the context it belongs to. */
  async recordEach(entries: readonly RecordInContext[]): Promise<void> {
    await this.insert(
      entries.map(({ context, record }) => {
        const action = record.action ?? context?.audit?.action;
        if (action === undefined) {
          throw new Error('Nothing says what is audited: the route has no @Audit, and the record no action.');
        }
        return toRow(context, { action, outcome: 'success' }, record);
      }),
    );
    for (const { context } of entries) {
      if (context?.audit) {
        context.audit.recorded = true;
      }
    }
  }

  /** Records that the announced action failed with `code`, and what it was aimed at. */
  async recordFailure(intent: AuditIntent, code: string): Promise<void> {
    intent.recorded = true;
    const facts = intent.target ? { entity: intent.target } : {};
    const row = toRow(requestContext(), { action: intent.action, outcome: 'failure', code }, facts);
    await this.transactions.independently(() => this.insert([row]));
  }

  private async insert(rows: readonly object[]): Promise<void> {
    await this.database.executeLast('audit_insert', INSERT, [JSON.stringify(rows)]);
  }
}

/** What is not known does not travel, and becomes NULL. */
function toRow(
  context: RequestContext | undefined,
  verdict: { action: AuditAction; outcome: 'success' | 'failure'; code?: string },
  facts: Partial<AuditRecord>,
): object {
  return {
    ...verdict,
    actor: facts.actor ?? context?.actor ?? 'system',
    session_id: context?.sessionId,
    entity_type: facts.entity?.type,
    entity_id: facts.entity?.id,
    before: facts.before,
    after: facts.after,
    address: context?.address,
    user_agent: context?.userAgent,
    request_id: context?.requestId,
  };
}
