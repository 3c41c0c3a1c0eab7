import { Injectable } from '@nestjs/common';
import type { SessionEnd } from '../../../contracts/sessions.js';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { decrypt, encrypt } from '../../../platform/crypto/encryption.js';
import { RedisClients } from '../../../platform/redis/redis-clients.js';
import { Clock } from '../../../shared/clock.js';

/** How long the end of a session is kept: longer than any earlier answer could be. */
export const ENDED_TTL_MS = 60_000;
/** How long Redis is not asked after it did not answer. */
const PAUSE_MS = 1_000;
/** Answers of a process whose clock differs by more than this are not used. */
const CLOCK_TOLERANCE_MS = 1_000;

/** What another process knows of a session, and for how long that may be used. */
export interface SharedAnswer {
  /** Null while it is live. */
  readonly end: SessionEnd | null;
  readonly forMs: number;
}

interface Sealed {
  readonly end: SessionEnd | null;
  /** Milliseconds since the epoch, by the clock of the process that wrote it. */
  readonly until: number;
}

/**
 * Answers about sessions that all processes share through Redis, each encrypted for its session. It saves PostgreSQL the
 * same query from every process, and holds nothing that PostgreSQL did not answer within the same four seconds
 * (docs/adr/0006). Without Redis, or with an entry that cannot be decrypted, there is no answer.
 */
@Injectable()
export class SharedSessionCache {
  readonly #key: Buffer;
  #pausedUntil = 0;

  constructor(
    config: AppConfig,
    private readonly redis: RedisClients,
    private readonly clock: Clock,
  ) {
    this.#key = deriveKey(config.masterKey(), 'seal_session_answers');
  }

  async find(sessionId: string): Promise<SharedAnswer | null> {
    if (this.clock.monotonic() < this.#pausedUntil) {
      return null;
    }
    try {
      // Its TTL first: if it is replaced in between, the newer answer is used for the shorter time.
      const [remainingMs, sealed] = await Promise.all([
        this.redis.app.pttl(keyOf(sessionId)),
        this.redis.app.getBuffer(keyOf(sessionId)),
      ]);
      return sealed && remainingMs > 0 ? this.open(sessionId, sealed, remainingMs) : null;
    } catch {
      this.pause();
      return null;
    }
  }

  /** Stores for `forMs` that the session is live. It never replaces an entry, which may say that the session ended. */
  setLive(sessionId: string, forMs: number): void {
    const wholeMs = Math.floor(forMs);
    if (wholeMs > 0 && this.clock.monotonic() >= this.#pausedUntil) {
      const sealed = this.close(sessionId, { end: null, until: this.clock.now() + wholeMs });
      this.redis.app.set(keyOf(sessionId), sealed, 'PX', wholeMs, 'NX').catch(() => {
        this.pause();
      });
    }
  }

  /** Stores that the session ended. It replaces any entry, and no earlier answer that is still under way replaces it. */
  setEnded(sessionId: string, end: SessionEnd): void {
    const sealed = this.close(sessionId, { end, until: this.clock.now() + ENDED_TTL_MS });
    this.redis.app.set(keyOf(sessionId), sealed, 'PX', ENDED_TTL_MS).catch(() => {
      this.pause();
    });
  }

  private close(sessionId: string, answer: Sealed): Buffer {
    return encrypt(this.#key, Buffer.from(JSON.stringify(answer)), aadOf(sessionId));
  }

  private open(sessionId: string, sealed: Buffer, remainingMs: number): SharedAnswer | null {
    let answer: Sealed;
    try {
      answer = JSON.parse(decrypt(this.#key, sealed, aadOf(sessionId)).toString()) as Sealed;
    } catch {
      return null;
    }
    // Checked by both clocks, because Redis could have got it late, or an attacker could have put an old one back.
    const byOurClockMs = answer.until - this.clock.now();
    const forMs = Math.min(remainingMs, byOurClockMs);
    return forMs > 0 && byOurClockMs <= remainingMs + CLOCK_TOLERANCE_MS ? { end: answer.end, forMs } : null;
  }

  private pause(): void {
    this.#pausedUntil = this.clock.monotonic() + PAUSE_MS;
  }
}

function keyOf(sessionId: string): string {
  return `mortise:session-end:${sessionId}`;
}

function aadOf(sessionId: string): string {
  return `redis.session_answers.${sessionId}`;
}
