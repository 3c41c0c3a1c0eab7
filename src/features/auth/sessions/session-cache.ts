import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { SessionEnd } from '../../../contracts/sessions.js';
import { SessionVerifier } from '../../../platform/auth/session-verifier.js';
import { outsideRequest } from '../../../platform/context/request-context.js';
import { outsideTransaction } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { Clock } from '../../../shared/clock.js';
import { ENDED_TTL_MS, SharedSessionCache } from './shared-session-cache.js';
import { SessionActivityService } from './session-activity.service.js';
import { SessionsRepository } from './sessions.repository.js';

/** How long a lost signal may go unnoticed; promise P-06 allows five seconds in all. */
const LIVE_MS = 4_000;
const CAPACITY = 20_000;

interface Entry {
  /** Null while the session is live. */
  readonly answer: Promise<SessionEnd | null>;
  until: number;
  /** That it ended is known, whatever the answer under way will be. */
  end: SessionEnd | null;
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
    private readonly shared: SharedSessionCache,
    private readonly activity: SessionActivityService,
    private readonly signals: SignalBus,
    private readonly clock: Clock,
  ) {
    super();
  }

  onModuleInit(): void {
    this.#unsubscribe = this.signals.on('session_revoked', ({ sessionId, reason }) => {
      this.remember(sessionId, Promise.resolve(reason), ENDED_TTL_MS).end = reason;
    });
  }

  onModuleDestroy(): void {
    this.#unsubscribe?.();
  }

  async endOf(sessionId: string, { certain = false }: { certain?: boolean } = {}): Promise<SessionEnd | null> {
    const entry = (certain ? undefined : this.fresh(sessionId)) ?? this.ask(sessionId, certain);
    // It may have been revoked while the query was under way. What another caller asked meanwhile is not waited for.
    const end = (await entry.answer) ?? this.#entries.peek(sessionId)?.end ?? null;
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
          entry.end = end;
          entry.until = this.clock.monotonic() + ENDED_TTL_MS;
        }
      },
      () => {
        entry.until = 0;
      },
    );
    return entry;
  }

  private async lookUp(sessionId: string, certain: boolean, entry: Entry): Promise<SessionEnd | null> {
    const shared = certain ? null : await this.shared.find(sessionId);
    if (shared) {
      entry.until = Math.min(entry.until, this.clock.monotonic() + shared.forMs);
      return shared.end;
    }
    // Counted from when PostgreSQL was asked, not from when it answered. All callers share the answer, so it belongs neither to
    // the transaction nor to the request of the first one, whose time may end before theirs.
    entry.until = this.clock.monotonic() + LIVE_MS;
    const end = await outsideTransaction(() => outsideRequest(() => this.repository.endOf(sessionId)));
    if (end === null) {
      this.shared.setLive(sessionId, entry.until - this.clock.monotonic());
    }
    return end;
  }

  private remember(sessionId: string, answer: Promise<SessionEnd | null>, forMs: number): Entry {
    // A session that ended does not come back.
    const end = this.#entries.peek(sessionId)?.end ?? null;
    const entry = { answer, until: this.clock.monotonic() + forMs, end };
    this.#entries.set(sessionId, entry);
    return entry;
  }
}
