import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { SessionGate } from '../../platform/auth/session-gate.js';
import { outsideTransaction } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { Clock } from '../../shared/clock.js';
import { SessionActivity } from './session-activity.js';
import { SessionsRepository } from './sessions.repository.js';

/** How long a lost signal may go unnoticed; promise P-06 allows five seconds in all. */
const LIVE_MS = 4_000;
/** A session that is over stays over. */
const OVER_MS = 60_000;
const CAPACITY = 20_000;

interface Entry {
  readonly answer: Promise<boolean>;
  until: number;
}

/**
 * Answers from memory, at most four seconds old, and asks PostgreSQL otherwise: one query for any number of requests at
 * once. The signal of a revocation takes effect immediately.
 */
@Injectable()
export class CachedSessionGate extends SessionGate implements OnModuleInit, OnModuleDestroy {
  /** In the order they were asked for, so the first is the oldest. */
  readonly #entries = new Map<string, Entry>();
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly repository: SessionsRepository,
    private readonly activity: SessionActivity,
    private readonly signals: Signals,
    private readonly clock: Clock,
  ) {
    super();
  }

  onModuleInit(): void {
    this.#unsubscribe = this.signals.on('session_revoked', ({ sessionId }) => {
      this.remember(sessionId, Promise.resolve(false), OVER_MS);
    });
  }

  onModuleDestroy(): void {
    this.#unsubscribe?.();
  }

  async isLive(sessionId: string): Promise<boolean> {
    const entry = this.fresh(sessionId) ?? this.ask(sessionId);
    const live = await entry.answer;
    const current = this.#entries.get(sessionId);
    if (live && current && current !== entry) {
      // Revoked while the question was under way: the old answer must not let anybody in.
      return this.isLive(sessionId);
    }
    if (live) {
      this.activity.seen(sessionId);
    }
    return live;
  }

  private fresh(sessionId: string): Entry | undefined {
    const entry = this.#entries.get(sessionId);
    return entry && this.clock.monotonic() < entry.until ? entry : undefined;
  }

  private ask(sessionId: string): Entry {
    // The answer is everybody's: it must not come out of one caller's transaction.
    const answer = outsideTransaction(() => this.repository.isLive(sessionId));
    const entry = this.remember(sessionId, answer, LIVE_MS);
    answer.then(
      (live) => {
        if (!live) {
          entry.until = this.clock.monotonic() + OVER_MS;
        }
      },
      () => {
        entry.until = 0;
      },
    );
    return entry;
  }

  private remember(sessionId: string, answer: Promise<boolean>, forMs: number): Entry {
    const entry = { answer, until: this.clock.monotonic() + forMs };
    this.#entries.delete(sessionId);
    this.#entries.set(sessionId, entry);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > CAPACITY && !oldest.done) {
      this.#entries.delete(oldest.value);
    }
    return entry;
  }
}
