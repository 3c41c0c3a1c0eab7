import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../../shared/domain-error.js';
import { bearerTokenOf } from '../auth/bearer-token.js';
import { ipKey } from '../http/client-address.js';
import { writeProblem } from '../http/problems/problem.filter.js';
import { problemOf } from '../http/problems/problem.js';
import { AbuseDetector } from './abuse-detector.js';
import { BlockedIpStore } from './blocked-ip-store.js';
import { ConnectionLimiter } from './connection-limiter.js';
import { anonymousKey, isDriveBy, personOf } from './platform-rate-limits.js';
import { announceLimit } from './rate-limit-headers.js';
import { IpBlockedError, RateLimitedError } from './rate-limit.errors.js';
import { RateLimiter } from './rate-limiter.js';
import { RequestProofRegistry } from './request-proof-registry.js';

/** What tells whether a token is good: see `Authenticator`. */
export interface TokenVerifier {
  /** Rejects unless it is. */
  authenticate(token: string): Promise<unknown>;
  isRefutable(token: string): Promise<boolean>;
}

/**
 * Runs before everything else. Blocks and anonymous limits bind anonymous requests: what comes with a valid session, or with
 * another secret of this server, has limits of its own, whatever others do at the same address. From a blocked address the
 * secret is verified before any other work; a request with an invalid token counts as anonymous.
 */
@Injectable()
export class IpRateLimiter {
  constructor(
    private readonly limits: RateLimiter,
    private readonly blocked: BlockedIpStore,
    private readonly abuse: AbuseDetector,
    private readonly connections: ConnectionLimiter,
    private readonly proofs: RequestProofRegistry,
  ) {}

  /** Call it after the security headers are installed, so that refusals have them, too. */
  install(fastify: FastifyInstance, tokens: TokenVerifier): void {
    fastify.server.on('connection', (socket: Socket) => {
      this.connections.watch('http', socket);
    });
    // Not earlier: the server of the sockets hides its requests from the listeners that were there before it.
    fastify.server.once('listening', () => {
      fastify.server.prependListener('request', (request, response) => {
        this.holdUntilAnswered(request, response);
      });
    });
    fastify.addHook('onRequest', async (request, reply) => {
      if (isUnlimited(request) || request.settledAsAnonymous) {
        request.settledAsAnonymous = true;
      } else if (proofOf(request) === undefined) {
        await this.admitUnproven(request, reply, tokens);
      }
      return reply.sent ? reply : undefined;
    });
    // The body has been read: a proof counts whatever token comes with it, because clients attach one that has expired.
    fastify.addHook('preHandler', async (request, reply) => {
      if (proofOf(request) !== undefined && !this.admitProven(request)) {
        await this.admitUnproven(request, reply, tokens);
      }
      return reply.sent ? reply : undefined;
    });
    fastify.addHook('onSend', async (request, reply, payload) => {
      this.discreditSpent(request, reply);
      // A preflight has no token: it is answered before it comes here, and cheaper than a refusal.
      const isPreflight = request.method === 'OPTIONS' && request.headers.authorization === undefined;
      if (personOf(request) !== null || request.settledAsAnonymous || isPreflight) {
        return payload;
      }
      // An answer of 5xx is no verdict on the token: while the database is away, a person is no stranger. But else a flood
      // that there is too much to do for would not be counted, and would go on for ever.
      if (reply.statusCode >= 500 && !(await this.isStranger(request, tokens))) {
        return payload;
      }
      return (await this.refusal(request, reply)) ?? payload;
    });
  }

  /** The client of this request has shown who it is, and is within its own limits: its connection is none of a stranger. */
  settle(request: FastifyRequest): void {
    this.connections.settle(request.raw.socket);
  }

  /** A request that has arrived waits for us; one whose body is still to come does not. */
  private holdUntilAnswered(request: IncomingMessage, response: ServerResponse): void {
    const { socket, headers } = request;
    const hold = (): void => {
      this.connections.hold(socket);
    };
    if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) {
      request.once('end', hold);
    } else {
      hold();
    }
    response.once('close', () => {
      request.off('end', hold);
      this.connections.release(socket);
    });
  }

  /** By what can be told without the database, of a request that was given up before its token or its body was read. */
  private async isStranger(request: FastifyRequest, tokens: TokenVerifier): Promise<boolean> {
    const takesProof = proofOf(request) !== undefined;
    if (takesProof && (this.admitProven(request) || configOf(request)?.ignoresToken)) {
      return request.provenAs === undefined;
    }
    return tokens.isRefutable(bearerTokenOf(request.headers.authorization) ?? '');
  }

  /** Elsewhere than at a blocked address, the guard verifies the token; an invalid one is counted with the answer. */
  private async admitUnproven(request: FastifyRequest, reply: FastifyReply, tokens: TokenVerifier): Promise<void> {
    const isBlocked = this.blocked.remainingMs(ipKey(request)) > 0;
    const hasToken = request.headers.authorization !== undefined && !configOf(request)?.ignoresToken;
    if (!hasToken || (isBlocked && !(await isGenuine(request, tokens)))) {
      await this.admitAnonymous(request, reply);
    }
  }

  private admitProven(request: FastifyRequest): boolean {
    const key = this.proofs.read(proofOf(request) ?? '', request);
    if (key === null) {
      return false;
    }
    request.provenAs = key;
    request.settledAsAnonymous = true;
    this.settle(request);
    return true;
  }

  /** What was genuine, but is worth nothing any more, proves nothing: the request counts as anonymous after all. */
  private discreditSpent(request: FastifyRequest, reply: FastifyReply): void {
    if (request.provenAs !== undefined && reply.statusCode === configOf(request)?.proofSpentBy) {
      this.proofs.discredit(request.provenAs);
      request.settledAsAnonymous = false;
    }
  }

  private async admitAnonymous(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const refusal = await this.refusal(request, reply);
    if (refusal !== null) {
      void reply.send(refusal);
    }
  }

  /** Counts it as anonymous; what to answer when its address is blocked, or that was one too many. */
  private async refusal(request: FastifyRequest, reply: FastifyReply): Promise<string | null> {
    request.settledAsAnonymous = true;
    const ip = ipKey(request);
    const blockedMs = this.blocked.remainingMs(ip);
    if (blockedMs > 0) {
      return writeProblem(request, reply, problemOf(new IpBlockedError(blockedMs)));
    }
    const verdict = await this.limits.spend('anonymous', anonymousKey(ip, request));
    const policy = this.limits.policyOf('anonymous');
    announceLimit(reply, 'anonymous', policy, verdict);
    if (!isDriveBy(request)) {
      this.abuse.note(ip, 'anonymous', verdict.admitted);
    }
    if (verdict.admitted) {
      return null;
    }
    return writeProblem(request, reply, problemOf(new RateLimitedError('anonymous', policy, verdict.resetMs)));
  }
}

async function isGenuine(request: FastifyRequest, tokens: TokenVerifier): Promise<boolean> {
  try {
    await tokens.authenticate(bearerTokenOf(request.headers.authorization) ?? '');
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.kind === 'unauthenticated') {
      return false;
    }
    throw error;
  }
}

/** Not even a route that does not exist has a configuration of its own. */
function configOf({ routeOptions }: FastifyRequest): FastifyContextConfig | undefined {
  return routeOptions.config;
}

function isUnlimited(request: FastifyRequest): boolean {
  return configOf(request)?.unlimited ?? false;
}

function proofOf(request: FastifyRequest): string | undefined {
  return configOf(request)?.provenBy;
}
