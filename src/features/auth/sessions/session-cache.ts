import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { SessionEnd } from '../../../contracts/sessions.js';
import { SessionVerifier } from '../../../platform/auth/session-verifier.js';
import { outsideTransaction } from '../../../platform/prisma/transaction.js';
import { Signals } from '../../../platform/redis/signals.js';
import { Clock } from '../../../shared/clock.js';
import { OVER_MS, SharedSessionCache } from './shared-session-cache.js';
import { SessionActivityService } from './session-activity.service.js';
import { SessionsRepository } from './sessions.repository.js';

/** How long a lost signal may go unnoticed; promise P-06 allows five seconds in all. */
const LIVE_MS = 4_000;
const CAPACITY = 20_000;

interface Entry {
  /** Null while the session stands. */
  readonly answer: Promise<SessionEnd | null>;
  until: number;
}

/**
 * Answers from memory, at most four seconds after PostgreSQL was asked, by this process or by another one: one query for
 * any number of requests at once. The signal of a revocation takes effect immediately.
 */
@Injectable()
export class SessionCache extends SessionVerifier implements OnModuleInit, OnModuleDestroy {
  /** Read by `peek` alone, which leaves them in the order they were asked for: the oldest answer is forgotten first. */
  readonly #entries = new LRUCache<string, Entry>({ max: CAPACITY });
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly repository: SessionsRepository,
    private readonly answers: SharedSessionCache,
    private readonly activity: SessionActivityService,
    private readonly signals: Signals,
    private readonly clock: Clock,
  ) {
    super();
  }

  onModuleInit(): void {
    this.#unsubscribe = this.signals.on('session_revoked', ({ sessionId, reason }) => {
      this.remember(sessionId, Promise.resolve(reason), OVER_MS);
    });
  }

  onModuleDestroy(): void {
    this.#unsubscribe?.();
  }

  async endOf(sessionId: string, { certain = false }: { certain?: boolean } = {}): Promise<SessionEnd | null> {
    const entry = (certain ? undefined : this.fresh(sessionId)) ?? this.ask(sessionId, certain);
    const end = await entry.answer;
    const current = this.#entries.peek(sessionId);
    if (end === null && current && current !== entry) {
      // Revoked while the question was under way, or asked again: the old answer must not let anybody in.
      return this.endOf(sessionId);
    }
    if (end === null) {
      this.activity.seen(sessionId);
    }
    return end;
  }

  private fresh(sessionId: string): Entry | undefined {
    const entry = this.#entries.peek(sessionId);
    return entry && this.clock.monotonic() < entry.until ? entry : undefined;
  }

  private ask(sessionId: string, certain: boolean): Entry {
    const answer = Promise.resolve().then(() => this.lookUp(sessionId, certain, entry));
    const entry = this.remember(sessionId, answer, LIVE_MS);
    answer.then(
      (end) => {
        if (end !== null) {
          entry.until = this.clock.monotonic() + OVER_MS;
        }
      },
      () => {
        entry.until = 0;
      },
    );
    return entry;
  }

  private async lookUp(sessionId: string, certain: boolean, entry: Entry): Promise<SessionEnd | null> {
    const shared = certain ? null : await this.answers.find(sessionId);
    if (shared) {
      entry.until = Math.min(entry.until, this.clock.monotonic() + shared.forMs);
      return shared.end;
    }
    // Of what PostgreSQL knew when it was asked, not when it answered. The answer is everybody's: it must not come out
    // of one caller's transaction.
    entry.until = this.clock.monotonic() + LIVE_MS;
    const end = await outsideTransaction(() => this.repository.endOf(sessionId));
    if (end === null) {
      this.answers.keepLive(sessionId, entry.until - this.clock.monotonic());
    }
    return end;
  }

  private remember(sessionId: string, answer: Promise<SessionEnd | null>, forMs: number): Entry {
    const entry = { answer, until: this.clock.monotonic() + forMs };
    this.#entries.set(sessionId, entry);
    return entry;
  }
}
