import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../../contracts/sessions.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { SharedSessionCache } from './shared-session-cache.js';

/** Tells every process which sessions ended: their sockets are cut, and what is remembered of them is forgotten. */
@Injectable()
export class SessionEndPublisher {
  constructor(
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
    private readonly cache: SharedSessionCache,
  ) {}

  /** Once the surrounding transaction commits. */
  publish(sessionIds: readonly string[], reason: RevocationReason): void {
    this.transactions.afterCommit(() => {
      for (const sessionId of sessionIds) {
        this.cache.setEnded(sessionId, reason);
        this.signals.publish('session_revoked', { sessionId, reason });
      }
    });
  }
}
