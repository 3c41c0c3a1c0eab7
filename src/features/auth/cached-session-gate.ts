import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { SessionGate } from '../../platform/auth/session-gate.js';
import { outsideTransaction } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { Clock } from '../../shared/clock.js';
import { OVER_MS, SessionAnswers } from './session-answers.js';
import { SessionActivity } from './session-activity.js';
import { SessionsRepository } from './sessions.repository.js';

/** How long a lost signal may go unnoticed; promise P-06 allows five seconds in all. */
const LIVE_MS = 4_000;
const CAPACITY = 20_000;

interface Entry {
  readonly answer: Promise<boolean>;
  until: number;
}

/**
 * Answers from memory, at most four seconds after PostgreSQL was asked, by this process or by another one: one query for
 * any number of requests at once. The signal of a revocation takes effect immediately.
 */
@Injectable()
export class CachedSessionGate extends SessionGate implements OnModuleInit, OnModuleDestroy {
  /** In the order they were asked for, so the first is the oldest. */
  readonly #entries = new Map<string, Entry>();
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly repository: SessionsRepository,
    private readonly answers: SessionAnswers,
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

  async isLive(sessionId: string, { certain = false }: { certain?: boolean } = {}): Promise<boolean> {
    const entry = (certain ? undefined : this.fresh(sessionId)) ?? this.ask(sessionId, certain);
    const live = await entry.answer;
    const current = this.#entries.get(sessionId);
    if (live && current && current !== entry) {
      // Revoked while the question was under way, or asked again: the old answer must not let anybody in.
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

  private ask(sessionId: string, certain: boolean): Entry {
    const answer = Promise.resolve().then(() => this.lookUp(sessionId, certain, entry));
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

  private async lookUp(sessionId: string, certain: boolean, entry: Entry): Promise<boolean> {
    const shared = certain ? null : await this.answers.find(sessionId);
    if (shared) {
      entry.until = Math.min(entry.until, this.clock.monotonic() + shared.forMs);
      return shared.live;
    }
    // Of what PostgreSQL knew when it was asked, not when it answered. The answer is everybody's: it must not come out
    // of one caller's transaction.
    entry.until = this.clock.monotonic() + LIVE_MS;
    const live = await outsideTransaction(() => this.repository.isLive(sessionId));
    if (live) {
      this.answers.keepLive(sessionId, entry.until - this.clock.monotonic());
    }
    return live;
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
