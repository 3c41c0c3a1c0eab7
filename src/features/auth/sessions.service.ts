import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { Principal } from '../../platform/auth/principal.js';
import { deriveKey } from '../../platform/crypto/derived-key.js';
import { sha256 } from '../../platform/crypto/digest.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { newId } from '../../shared/ids.js';
import type { User } from '../users/users.types.js';
import { InvalidRefreshTokenError, TokenReusedError } from './auth.errors.js';
import type { ClientInfo, RevocationReason } from './auth.types.js';
import { readRefreshToken, type RefreshTokenFacts, refreshTokenOf } from './domain/refresh-token.js';
import { judgeRotation } from './domain/rotation.js';
import { SessionsRepository } from './sessions.repository.js';

const FIRST_GENERATION = 1;

/** A live session, with the refresh token that continues it. */
export interface OpenSession {
  readonly principal: Principal;
  readonly refreshToken: string;
}

/** Sessions from sign-in to revocation, and the rotation of their refresh tokens. */
@Injectable()
export class SessionsService {
  readonly #tokenKey: Buffer;
  readonly #lifetimeMs: number;

  constructor(
    config: AppConfig,
    private readonly repository: SessionsRepository,
    private readonly transactions: Transactions,
    private readonly signals: Signals,
  ) {
    this.#tokenKey = deriveKey(config.masterKey(), 'derive_refresh_tokens');
    this.#lifetimeMs = config.tokens.refreshTtlMs;
  }

  async open(user: User, client: ClientInfo): Promise<OpenSession> {
    const facts = { sessionId: newId(), counter: FIRST_GENERATION };
    const refreshToken = refreshTokenOf(this.#tokenKey, facts);
    await this.repository.open({
      id: facts.sessionId,
      userId: user.id,
      counter: facts.counter,
      refreshHash: sha256(refreshToken),
      lifetimeMs: this.#lifetimeMs,
      ...client,
    });
    return { principal: { userId: user.id, sessionId: facts.sessionId, role: user.role }, refreshToken };
  }

  /**
   * Exchanges a refresh token for its successor. The direct predecessor gets the same successor again for ten seconds,
   * as long as that is unused.
   * @throws InvalidRefreshTokenError
   * @throws TokenReusedError when an older token came back; its session is revoked by then
   */
  async rotate(refreshToken: string): Promise<OpenSession> {
    const presented = readRefreshToken(this.#tokenKey, refreshToken);
    if (!presented) {
      throw new InvalidRefreshTokenError();
    }
    const successor = refreshTokenOf(this.#tokenKey, { ...presented, counter: presented.counter + 1 });
    const principal = await this.repository.rotate({
      ...presented,
      presentedHash: sha256(refreshToken),
      successorHash: sha256(successor),
      lifetimeMs: this.#lifetimeMs,
    });
    return { principal: principal ?? (await this.forgive(presented)), refreshToken: successor };
  }

  /**
   * Ends a session: its refresh token at once, its access tokens and sockets as soon as the signal arrives, and
   * without one when the next check asks the database.
   */
  revoke(sessionId: string, reason: RevocationReason): Promise<void> {
    return this.transactions.run(() => this.revokeAndTell(sessionId, reason));
  }

  /** The token did not rotate: somebody else did it a moment ago, or it is worth nothing, or worse. */
  private async forgive({ sessionId, counter }: RefreshTokenFacts): Promise<Principal> {
    const state = await this.repository.findRotationState(sessionId);
    const verdict = judgeRotation(counter, state);
    if (verdict === 'reuse') {
      // On its own: the revocation stands although the request fails.
      await this.transactions.independently(() => this.revokeAndTell(sessionId, 'token_reuse'));
      throw new TokenReusedError();
    }
    if (!state || verdict === 'invalid') {
      throw new InvalidRefreshTokenError();
    }
    return { userId: state.userId, sessionId, role: state.role };
  }

  private async revokeAndTell(sessionId: string, reason: RevocationReason): Promise<void> {
    if (await this.repository.revoke(sessionId, reason)) {
      this.transactions.afterCommit(() => {
        this.signals.publish('session_revoked', { sessionId });
      });
    }
  }
}
