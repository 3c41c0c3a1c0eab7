import { Injectable } from '@nestjs/common';
import type { SessionEnd } from '../../../contracts/sessions.js';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { decrypt, encrypt } from '../../../platform/crypto/encryption.js';
import { RedisClients } from '../../../platform/redis/redis-clients.js';
import { Clock } from '../../../shared/clock.js';

/** A session that is over stays over; longer than any answer from before could be kept. */
export const OVER_MS = 60_000;
/** How long Redis is left alone after it did not answer. */
const PAUSE_MS = 1_000;
/** How far the clocks of two processes may differ before their answers mean nothing to each other. */
const CLOCK_TOLERANCE_MS = 1_000;

/** What another process knows of a session, and for how long it may still be believed. */
export interface SharedAnswer {
  /** Null while it stands. */
  readonly end: SessionEnd | null;
  readonly forMs: number;
}

interface Sealed {
  readonly end: SessionEnd | null;
  /** Milliseconds since the epoch, by the clock of who wrote it. */
  readonly until: number;
}

/**
 * What the processes tell each other of sessions through Redis, sealed for one session each: it saves PostgreSQL the
 * same question from every process, and knows nothing that PostgreSQL did not say within the same four seconds
 * (docs/adr/0006). Without Redis, or with an answer that does not open, there is simply no answer.
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
      // Its time first: if it is replaced in between, the newer answer is believed for the shorter time.
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

  /** Says for `forMs` that the session was live; never over what is there, which may be that it is over. */
  keepLive(sessionId: string, forMs: number): void {
    const wholeMs = Math.floor(forMs);
    if (wholeMs > 0 && this.clock.monotonic() >= this.#pausedUntil) {
      const sealed = this.close(sessionId, { end: null, until: this.clock.now() + wholeMs });
      this.redis.app.set(keyOf(sessionId), sealed, 'PX', wholeMs, 'NX').catch(() => {
        this.pause();
      });
    }
  }

  /** Takes the place of whatever was said before, so that an answer still under way cannot come back. */
  keepOver(sessionId: string, end: SessionEnd): void {
    const sealed = this.close(sessionId, { end, until: this.clock.now() + OVER_MS });
    this.redis.app.set(keyOf(sessionId), sealed, 'PX', OVER_MS).catch(() => {
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
    // By both clocks: Redis could have got it late, or somebody could have put an old one back.
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
