import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { outsideTransaction } from '../../../platform/prisma/transactions.js';
import { SessionsRepository } from './sessions.repository.js';
import { inBackground } from '../../../platform/process/faults.js';

const FLUSH_EVERY_MS = 60_000;
/** This many sessions do not wait for the minute to end. */
const CAPACITY = 10_000;

/** Keeps `last_seen_at` roughly right: one statement a minute for all sessions seen in it, instead of one per request. */
@Injectable()
export class SessionActivityService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #seen = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: SessionsRepository,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(SessionActivityService.name);
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      inBackground(() => this.flush());
    }, FLUSH_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  seen(sessionId: string): void {
    this.#seen.add(sessionId);
    if (this.#seen.size >= CAPACITY) {
      inBackground(() => this.flush());
    }
  }

  /** Never throws, because a failed write of `last_seen_at` only makes it less exact. */
  async flush(): Promise<void> {
    const seen = this.#seen;
    if (seen.size === 0) {
      return;
    }
    this.#seen = new Set();
    try {
      await outsideTransaction(() => this.repository.touch([...seen]));
    } catch (error) {
      this.logger.warn({ err: error, sessions: seen.size }, 'Last sight of sessions not written');
    }
  }
}
