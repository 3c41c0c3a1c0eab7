import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { PinoLogger } from 'nestjs-pino';
import type { AuditIntent } from '../../contracts/audit.js';
import { Clock } from '../../shared/clock.js';
import { problemOf } from '../http/problem.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { AuditWriter } from './audit-writer.js';

const WINDOW_MS = 60_000;
/** Refusals of one person that are recorded in a minute. */
const MAX_REFUSALS = 20;
/** People whose refusals are counted; when there are more, the one that was not refused for longest begins anew. */
const MAX_PEOPLE = 10_000;

/** Records what came to nothing. The request has failed already: that it could not be audited fails nothing more. */
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

  /** The announced action failed with `error`. */
  async record(intent: AuditIntent, error: unknown): Promise<void> {
    try {
      await this.trail.recordFailure(intent, problemOf(error).code);
    } catch (failure) {
      // The request failed already, so nothing was changed without a trace; but somebody should know.
      this.logger.error({ err: failure, action: intent.action }, 'A failure could not be audited');
    }
  }

  /**
   * A guard let somebody not even try. No rate limit has counted the request by then, so this counts: nobody fills the
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
