import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { PinoLogger } from 'nestjs-pino';
import type { AuditIntent } from '../../contracts/audit.js';
import { Clock } from '../../shared/clock.js';
import { requestContext } from '../context/request-context.js';
import { InvalidRequestError } from '../http/validation/validation.js';
import { problemOf } from '../http/problems/problem.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { RequestDeadlineError } from '../context/request-deadline.js';
import { isDatabaseUnavailable } from '../prisma/prisma-errors.js';
import { AuditWriter } from './audit-writer.js';

const WINDOW_MS = 60_000;
/** Refusals of one user that are recorded in a minute. */
const MAX_REFUSALS = 20;
/** Users whose refusals are counted; with more, the count of the one that was refused longest ago starts again. */
const MAX_PEOPLE = 10_000;

/** Records failed requests. A record that cannot be written is logged, and changes nothing for the request. */
@Injectable()
export class AuditFailureWriter {
  readonly #left = new LRUCache<string, number>({ max: MAX_PEOPLE });
  readonly #unrecorded: Counter;
  #since = 0;

  constructor(
    private readonly trail: AuditWriter,
    private readonly clock: Clock,
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(AuditFailureWriter.name);
    this.#unrecorded = metrics.counter(
      'mortise_audit_refusals_unrecorded_total',
      'Refusals of signed-in people beyond the number that is recorded of one person in a minute',
    );
  }

  /** The announced action failed with `error`. A database that did not serve the request is not asked to record it. */
  async record(intent: AuditIntent, error: unknown): Promise<void> {
    // Strangers may send so much of it that it would fill the table, and nothing was attempted.
    if (error instanceof InvalidRequestError && requestContext()?.actor === 'anonymous') {
      return;
    }
    if (error instanceof RequestDeadlineError || isDatabaseUnavailable(error)) {
      this.logger.warn({ action: intent.action }, 'A failure was not audited, because the database is not available');
      return;
    }
    try {
      await this.trail.recordFailure(intent, problemOf(error).code);
    } catch (failure) {
      // The request failed already, so nothing was changed without a trace.
      this.logger.error({ err: failure, action: intent.action }, 'A failure could not be audited');
    }
  }

  /**
   * A guard refused the request. No rate limit has counted it by then, so this limits what one user can write into the
   * table by asking for what they may not have.
   */
  async recordRefusal(userId: string, intent: AuditIntent, error: unknown): Promise<void> {
    if (this.spend(userId)) {
      await this.record(intent, error);
    } else {
      this.#unrecorded.inc();
    }
  }

  private spend(userId: string): boolean {
    const now = this.clock.monotonic();
    if (now - this.#since >= WINDOW_MS) {
      this.#left.clear();
      this.#since = now;
    }
    const left = this.#left.get(userId) ?? MAX_REFUSALS;
    this.#left.set(userId, Math.max(0, left - 1));
    return left > 0;
  }
}
