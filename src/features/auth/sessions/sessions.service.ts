import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../../contracts/sessions.js';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { setAuditTarget } from '../../../platform/audit/audit.decorator.js';
import { SessionEndedError } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { Transactions } from '../../../platform/prisma/transaction.js';
import { Signals } from '../../../platform/redis/signals.js';
import { isUuid, newId } from '../../../shared/ids.js';
import type { User } from '../../users/users.types.js';
import {
  InvalidCredentialsError,
  InvalidRefreshTokenError,
  SessionNotFoundError,
  TokenReusedError,
} from '../auth.errors.js';
import type { ClientInfo, Session } from '../auth.types.js';
import { deviceName } from './domain/device-name.js';
import { readRefreshToken, type RefreshTokenFacts, refreshTokenOf } from './domain/refresh-token.js';
import { judgeRotation } from './domain/rotation.js';
import { SharedSessionCache } from './shared-session-cache.js';
import { type RotatedSession, type SessionRow, SessionsRepository } from './sessions.repository.js';

const FIRST_GENERATION = 1;

/** A live session, with the refresh token that continues it. */
export interface OpenSession {
  readonly principal: Principal;
  readonly refreshToken: string;
  /** Life of that token. */
  readonly refreshTtlMs: number;
}

export interface SessionWish extends ClientInfo {
  /** The session is to last for a month, not for a week. */
  readonly rememberMe?: boolean;
}

/** Sessions from sign-in to revocation, and the rotation of their refresh tokens. */
@Injectable()
export class SessionsService {
  readonly #tokenKey: Buffer;

  constructor(
    private readonly config: AppConfig,
    private readonly repository: SessionsRepository,
    private readonly transactions: Transactions,
    private readonly signals: Signals,
    private readonly answers: SharedSessionCache,
    private readonly audit: AuditWriter,
  ) {
    this.#tokenKey = deriveKey(config.masterKey(), 'derive_refresh_tokens');
  }

  /**
   * Opens a session, and ends the oldest ones beyond the number a person may have.
   * @throws InvalidCredentialsError when the account was blocked or deleted since it was looked up
   */
  open(user: User, { rememberMe = false, address, userAgent }: SessionWish): Promise<OpenSession> {
    const facts = { sessionId: newId(), counter: FIRST_GENERATION };
    const refreshToken = refreshTokenOf(this.#tokenKey, facts);
    const refreshTtlMs = this.lifetimeMs(rememberMe);
    const session = {
      id: facts.sessionId,
      userId: user.id,
      counter: facts.counter,
      refreshHash: sha256(refreshToken),
      lifetimeMs: refreshTtlMs,
      rememberMe,
      address,
      userAgent,
    };
    return this.transactions.run(async () => {
      if (!(await this.repository.lock(user.id))) {
        throw new InvalidCredentialsError();
      }
      await this.repository.open(session);
      await this.evictBeyondLimit(user.id, session.id);
      await this.audit.record({
        action: 'login',
        actor: `user:${user.id}`,
        entity: { type: 'session', id: session.id },
        after: { rememberMe, device: deviceName(userAgent) },
      });
      return { principal: { userId: user.id, sessionId: session.id, role: user.role }, refreshToken, refreshTtlMs };
    });
  }

  /**
   * Exchanges a refresh token for its successor. The direct predecessor gets the same successor again for ten seconds,
   * as long as that is unused.
   * @throws InvalidRefreshTokenError
   * @throws SessionEndedError when too many devices signed in
   * @throws TokenReusedError when an older token came back; its session is revoked by then
   */
  async rotate(refreshToken: string): Promise<OpenSession> {
    const presented = readRefreshToken(this.#tokenKey, refreshToken);
    if (!presented) {
      throw new InvalidRefreshTokenError();
    }
    setAuditTarget({ type: 'session', id: presented.sessionId });
    try {
      return await this.transactions.run(() => this.exchange(refreshToken, presented));
    } catch (error) {
      if (error instanceof TokenReusedError) {
        await this.endReused(presented.sessionId);
      }
      throw error;
    }
  }

  /** The live sessions of a person, the last seen first. */
  async list(userId: string): Promise<Session[]> {
    return (await this.repository.list(userId)).map(toSession);
  }

  /**
   * Ends the session that asks: its refresh token at once, its access tokens and sockets as soon as the signal arrives,
   * and without one when the next check asks the database.
   */
  logout({ sessionId }: Principal): Promise<void> {
    return this.transactions.run(async () => {
      if (await this.repository.revoke(sessionId, 'logout')) {
        this.tellAfterCommit([sessionId], 'logout');
      }
      await this.audit.record({ action: 'logout', entity: { type: 'session', id: sessionId } });
    });
  }

  /** Ends one session of a person. @throws SessionNotFoundError when it is over, or somebody else's. */
  revoke(userId: string, sessionId: string): Promise<void> {
    return this.transactions.run(async () => {
      if (!isUuid(sessionId) || !(await this.repository.revoke(sessionId, 'revoked', userId))) {
        throw new SessionNotFoundError();
      }
      this.tellAfterCommit([sessionId], 'revoked');
      await this.audit.record({ action: 'session_revoked', entity: { type: 'session', id: sessionId } });
    });
  }

  /**
   * Ends every session of a person, but for one if it is named, in the surrounding transaction; whoever calls records
   * why. A login under way comes before or after all of it.
   * @returns how many were live.
   */
  revokeAllOf(
    userId: string,
    { exceptSessionId, reason }: { exceptSessionId?: string | undefined; reason: RevocationReason },
  ): Promise<number> {
    return this.transactions.run(async () => {
      await this.repository.lock(userId);
      const ended = await this.repository.revokeAll(userId, reason, exceptSessionId ?? null);
      this.tellAfterCommit(ended, reason);
      return ended.length;
    });
  }

  private async evictBeyondLimit(userId: string, sessionId: string): Promise<void> {
    const evicted = await this.repository.evict(userId, sessionId, this.config.sessions.maxPerUser - 1);
    for (const id of evicted) {
      await this.audit.record({
        action: 'session_evicted',
        actor: `user:${userId}`,
        entity: { type: 'session', id },
        after: { by: sessionId },
      });
    }
    this.tellAfterCommit(evicted, 'evicted');
  }

  private async exchange(refreshToken: string, presented: RefreshTokenFacts): Promise<OpenSession> {
    const successor = refreshTokenOf(this.#tokenKey, { ...presented, counter: presented.counter + 1 });
    const rotated = await this.repository.rotate({
      ...presented,
      presentedHash: sha256(refreshToken),
      successorHash: sha256(successor),
      lifetimeMs: this.lifetimeMs(false),
      rememberedLifetimeMs: this.lifetimeMs(true),
    });
    const { rememberMe, ...principal } = rotated ?? (await this.forgive(presented));
    await this.audit.record({
      action: 'session_refreshed',
      actor: `user:${principal.userId}`,
      entity: { type: 'session', id: principal.sessionId },
    });
    return { principal, refreshToken: successor, refreshTtlMs: this.lifetimeMs(rememberMe) };
  }

  /** The token did not rotate: somebody else did it a moment ago, or it is worth nothing, or worse. */
  private async forgive({ sessionId, counter }: RefreshTokenFacts): Promise<RotatedSession> {
    const state = await this.repository.findRotationState(sessionId);
    const verdict = judgeRotation(counter, state);
    if (verdict === 'reuse') {
      throw new TokenReusedError();
    }
    if (state?.revokedReason === 'evicted') {
      throw new SessionEndedError('evicted');
    }
    if (!state || verdict === 'invalid') {
      throw new InvalidRefreshTokenError();
    }
    return { userId: state.userId, sessionId, role: state.role, rememberMe: state.rememberMe };
  }

  /** On its own, and after the failed exchange let go of its connection: the revocation stands although the request fails. */
  private endReused(sessionId: string): Promise<void> {
    return this.transactions.independently(async () => {
      if (await this.repository.revoke(sessionId, 'token_reuse')) {
        this.tellAfterCommit([sessionId], 'token_reuse');
      }
      const state = await this.repository.findRotationState(sessionId);
      await this.audit.record({
        action: 'token_reuse_detected',
        // Whoever brought it, brought a token of this person: it belongs into their activity.
        ...(state ? { actor: `user:${state.userId}` } : {}),
        entity: { type: 'session', id: sessionId },
      });
    });
  }

  private tellAfterCommit(sessionIds: readonly string[], reason: RevocationReason): void {
    this.transactions.afterCommit(() => {
      for (const sessionId of sessionIds) {
        this.answers.keepOver(sessionId, reason);
        this.signals.publish('session_revoked', { sessionId, reason });
      }
    });
  }

  private lifetimeMs(rememberMe: boolean): number {
    return rememberMe ? this.config.tokens.rememberTtlMs : this.config.tokens.refreshTtlMs;
  }
}

function toSession({ userAgent, ...row }: SessionRow): Session {
  return { ...row, device: deviceName(userAgent) };
}
