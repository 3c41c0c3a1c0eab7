import { Injectable } from '@nestjs/common';
import type { AuditAction, AuditFacts } from '../../contracts/audit.js';
import { type RequestContext, requestContext } from '../context/request-context.js';
import { Database } from '../prisma/database.js';
import { Transactions } from '../prisma/transaction.js';

const INSERT = `INSERT INTO audit_entries
  (action, outcome, code, actor, session_id, entity_type, entity_id, before, after, address, user_agent, request_id)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`;

/** Facts for an action other than the one the route announced, such as an eviction that a login causes. */
export interface AuditRecord extends AuditFacts {
  readonly action?: AuditAction;
  /** Who did it, where the request itself does not say: a login, before there is a session. */
  readonly actor?: string;
}

/**
 * Who did what, to what, from where. A success is part of the change's own transaction: one does not exist without
 * the other. A failure stands by itself, because the change was taken back.
 */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly database: Database,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Records what the surrounding transaction did; without one, it is a transaction of its own. Inside a transaction it
   * does not wait for the answer: the commit fails if the entry does.
   */
  async record(record: AuditRecord): Promise<void> {
    const context = requestContext();
    const action = record.action ?? context?.audit?.action;
    if (action === undefined) {
      throw new Error('Nothing says what is audited: the route has no @Audit, and the record no action.');
    }
    await this.insert(action, 'success', null, record);
    if (context?.audit) {
      context.audit.recorded = true;
    }
  }

  /** Records that the announced action failed with `code`. */
  async recordFailure(action: AuditAction, code: string): Promise<void> {
    const intent = requestContext()?.audit;
    if (intent) {
      intent.recorded = true;
    }
    await this.transactions.independently(() => this.insert(action, 'failure', code, {}));
  }

  private async insert(
    action: AuditAction,
    outcome: 'success' | 'failure',
    code: string | null,
    facts: Partial<AuditRecord>,
  ): Promise<void> {
    const context: Partial<RequestContext> = requestContext() ?? {};
    // What is not known is NULL: the driver takes undefined for it.
    await this.database.execute('audit_insert', INSERT, [
      action,
      outcome,
      code,
      facts.actor ?? context.actor ?? 'system',
      context.sessionId,
      facts.entity?.type,
      facts.entity?.id,
      facts.before,
      facts.after,
      context.address,
      context.userAgent,
      context.requestId,
    ]);
  }
}
