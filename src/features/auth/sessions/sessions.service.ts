import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../../../contracts/sessions.js';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { setAuditTarget } from '../../../platform/audit/audit.decorator.js';
import { AccessTokenFactory } from '../../../platform/auth/access-token-factory.js';
import { sessionEnded, SessionEvictedError } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { isUuid, newId } from '../../../shared/ids.js';
import type { User } from '../../users/users.types.js';
import {
  InvalidCredentialsError,
  InvalidRefreshTokenError,
  SessionNotFoundError,
  TokenReusedError,
} from '../auth.errors.js';
import type { ClientInfo, RefreshingClient, Session, TokenPair } from '../auth.types.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { deviceName } from './domain/device-name.js';
import { readRefreshToken, type RefreshTokenFacts, refreshTokenOf } from './domain/refresh-token.js';
import { type ClientTraits, clientTraits } from './client-traits.js';
import { judgeRotation, MAX_REPEATS } from './domain/rotation.js';
import { SessionActivityService } from './session-activity.service.js';
import { SessionEndPublisher } from './session-end-publisher.js';
import { type RotatedSession, type SessionRow, SessionsRepository } from './sessions.repository.js';

const FIRST_GENERATION = 1;

/** A live session, with the refresh token that continues it. */
export interface OpenSession {
  readonly principal: Principal;
  readonly refreshToken: string;
  /** Life of that token. */
  readonly refreshTtlMs: number;
}

export interface SessionOptions extends ClientInfo {
  /** The session lasts for a month instead of a week. */
  readonly rememberMe?: boolean;
  /** The secret by which the client that opens it is known again. */
  readonly knownDevice: string;
}

/** A refresh token that came in, and who presented it. */
interface Presented extends RefreshTokenFacts {
  readonly token: string;
  readonly client: ClientTraits;
}

/** Sessions from login to revocation, and the rotation of their refresh tokens. */
@Injectable()
export class SessionsService {
  readonly #tokenKey: Buffer;

  constructor(
    private readonly config: AppConfig,
    private readonly repository: SessionsRepository,
    private readonly transactions: Transactions,
    private readonly ends: SessionEndPublisher,
    private readonly tokens: OneTimeTokensService,
    private readonly accessTokens: AccessTokenFactory,
    private readonly audit: AuditWriter,
    private readonly activity: SessionActivityService,
  ) {
    this.#tokenKey = deriveKey(config.masterKey(), 'derive_refresh_tokens');
  }

  /**
   * Opens a session, and ends the oldest ones beyond the number a person may have.
   * @throws InvalidCredentialsError when the account was blocked or deleted since it was looked up
   */
  open(user: User, { rememberMe = false, ip, userAgent, knownDevice }: SessionOptions): Promise<OpenSession> {
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
      ip,
      userAgent,
      deviceHash: sha256(knownDevice),
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

  /** An access token for a session, beside its refresh token. */
  async tokensOf({ principal, refreshToken, refreshTtlMs }: OpenSession): Promise<TokenPair> {
    const { token, expiresInSeconds } = await this.accessTokens.sign(principal);
    const refreshExpiresInSeconds = Math.floor(refreshTtlMs / 1_000);
    return { accessToken: token, refreshToken, expiresInSeconds, refreshExpiresInSeconds };
  }

  /**
   * Exchanges a refresh token for a new pair. For ten seconds, the client that presents the direct predecessor of the valid
   * token again gets the same successor, as long as that is unused.
   * @throws InvalidRefreshTokenError
   * @throws SessionEndedError when too many devices signed in
   * @throws TokenReusedError when an older token came back, or another client presented it; its session is revoked by then
   */
  async refresh(refreshToken: string, client: RefreshingClient): Promise<TokenPair> {
    const facts = readRefreshToken(this.#tokenKey, refreshToken);
    if (!facts) {
      throw new InvalidRefreshTokenError();
    }
    const presented = { ...facts, token: refreshToken, client: clientTraits(client) };
    setAuditTarget({ type: 'session', id: facts.sessionId });
    try {
      const session = await this.transactions.run(() => this.rotate(presented));
      // Not at once: the list of sessions would tell a thief the moment of each rotation.
      this.activity.seen(facts.sessionId);
      return await this.tokensOf(session);
    } catch (error) {
      if (error instanceof TokenReusedError) {
        await this.revokeReused(presented);
      }
      throw error;
    }
  }

  /** The session that a refresh token was issued for, live or not; null when it was not issued here. */
  sessionOf(refreshToken: string): string | null {
    return readRefreshToken(this.#tokenKey, refreshToken)?.sessionId ?? null;
  }

  /**
   * Asks the database, in the transaction of what the session does. Call it with the account locked: then nothing but a
   * logout ends the session before the commit.
   * @throws SessionEndedError
   */
  async requireLive({ sessionId }: Principal): Promise<void> {
    const end = await this.repository.endOf(sessionId);
    if (end !== null) {
      throw sessionEnded(end);
    }
  }

  /** The live sessions of a person, the last seen first. */
  async list(userId: string): Promise<Session[]> {
    return (await this.repository.list(userId)).map(toSession);
  }

  /**
   * Ends the session of the request: its refresh token at once, its access tokens and sockets as soon as the signal
   * arrives, or when the next check asks the database.
   */
  logout({ sessionId }: Principal): Promise<void> {
    return this.transactions.run(async () => {
      if (await this.repository.revoke(sessionId, 'logout')) {
        this.ends.publish([sessionId], 'logout');
      }
      await this.audit.record({ action: 'logout', entity: { type: 'session', id: sessionId } });
    });
  }

  /**
   * Ends one session of a person, after what else changes their account.
   * @throws SessionNotFoundError when it is over, or another person's.
   */
  revoke(userId: string, sessionId: string): Promise<void> {
    return this.transactions.run(async () => {
      await this.repository.lock(userId);
      if (!isUuid(sessionId) || !(await this.repository.revoke(sessionId, 'revoked', userId))) {
        throw new SessionNotFoundError();
      }
      this.ends.publish([sessionId], 'revoked');
      await this.audit.record({ action: 'session_revoked', entity: { type: 'session', id: sessionId } });
    });
  }

  /**
   * Ends every session of a person but `exceptSessionId`, in the surrounding transaction; the caller records why. A login
   * under way comes before or after all of it.
   * @returns how many were live.
   */
  revokeAllOf(
    userId: string,
    { exceptSessionId, reason }: { exceptSessionId?: string | undefined; reason: RevocationReason },
  ): Promise<number> {
    return this.transactions.run(async () => {
      await this.repository.lock(userId);
      const ended = await this.repository.revokeAll(userId, reason, exceptSessionId ?? null);
      this.ends.publish(ended, reason);
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
    this.ends.publish(evicted, 'evicted');
  }

  private async rotate(presented: Presented): Promise<OpenSession> {
    const { sessionId, counter, token, client } = presented;
    const successor = refreshTokenOf(this.#tokenKey, { sessionId, counter: counter + 1 });
    const rotated = await this.repository.rotate({
      sessionId,
      counter,
      client,
      presentedHash: sha256(token),
      successorHash: sha256(successor),
      lifetimeMs: this.lifetimeMs(false),
      rememberedLifetimeMs: this.lifetimeMs(true),
    });
    const { rememberMe, ...principal } = rotated ?? (await this.repeat(presented));
    await this.audit.record({
      action: rotated ? 'session_refreshed' : 'refresh_repeated',
      actor: `user:${principal.userId}`,
      entity: { type: 'session', id: sessionId },
    });
    return { principal, refreshToken: successor, refreshTtlMs: this.lifetimeMs(rememberMe) };
  }

  /** For a token that is not the valid one. @returns its session when it was replaced a moment ago, by the same client. */
  private async repeat({ sessionId, counter, client }: Presented): Promise<RotatedSession> {
    const state = await this.repository.findRotationState(sessionId, client);
    const verdict = judgeRotation(counter, state);
    if (verdict === 'reuse') {
      throw new TokenReusedError();
    }
    if (state?.revokedReason === 'evicted') {
      throw new SessionEvictedError();
    }
    if (!state || verdict === 'invalid') {
      throw new InvalidRefreshTokenError();
    }
    if ((await this.repository.countRepeat(sessionId, state.counter)) >= MAX_REPEATS) {
      throw new TokenReusedError();
    }
    return { userId: state.userId, sessionId, role: state.role, rememberMe: state.rememberMe };
  }

  /**
   * Ends the session, and a change of the e-mail address that the thief may have begun in it. In a transaction of its own,
   * so that the revocation stands although the request fails.
   */
  private revokeReused({ sessionId, client }: Presented): Promise<void> {
    return this.transactions.independently(async () => {
      const state = await this.repository.findRotationState(sessionId, client);
      if (state) {
        await this.repository.lock(state.userId);
        await this.tokens.revokeAllOf(state.userId, ['email_change']);
      }
      if (await this.repository.revoke(sessionId, 'token_reuse')) {
        this.ends.publish([sessionId], 'token_reuse');
      }
      await this.audit.record({
        action: 'token_reuse_detected',
        // The token was one of this person, so the entry belongs into their activity.
        ...(state ? { actor: `user:${state.userId}` } : {}),
        entity: { type: 'session', id: sessionId },
      });
    });
  }

  private lifetimeMs(rememberMe: boolean): number {
    return rememberMe ? this.config.tokens.rememberTtlMs : this.config.tokens.refreshTtlMs;
  }
}

function toSession({ userAgent, ...row }: SessionRow): Session {
  return { ...row, device: deviceName(userAgent) };
}
