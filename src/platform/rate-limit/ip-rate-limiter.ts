import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ipKey } from '../http/client-address.js';
import { sendProblem, writeProblem } from '../http/problem.filter.js';
import { problemOf } from '../http/problem.js';
import { BlockedIpStore } from './blocked-ip-store.js';
import { announceLimit } from './rate-limit-headers.js';
import { IpBlockedError, RateLimitedError } from './rate-limit.errors.js';
import { RateLimiter } from './rate-limiter.js';
import { AbuseDetector } from './abuse-detector.js';

/**
 * Runs before everything else: requests of blocked IP addresses are refused, and requests without a token are counted by
 * IP address before any work is done for them. A request with a token is counted when the token turns out to be
 * invalid: users behind one IP address do not share the limit, and an invented token is no way around it.
 */
@Injectable()
export class IpRateLimiter {
  constructor(
    private readonly limits: RateLimiter,
    private readonly blocked: BlockedIpStore,
    private readonly abuse: AbuseDetector,
  ) {}

  /** Call it after the security headers are installed, so that refusals have them, too. */
  install(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      if (isUnlimited(request)) {
        request.settledAsAnonymous = true;
        done();
      } else {
        this.enter(request, reply, done);
      }
    });
    fastify.addHook('onSend', (request, reply, payload, done) => {
      // An answer of 5xx is no verdict on the token: while the database is away, a person is no stranger.
      if (request.principal || request.settledAsAnonymous || request.method === 'OPTIONS' || reply.statusCode >= 500) {
        done(null, payload);
      } else {
        this.refusal(request, reply).then((refusal) => {
          done(null, refusal ?? payload);
        }, done);
      }
    });
  }

  private enter(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    const remainingMs = this.blocked.remainingMs(ipKey(request));
    if (remainingMs > 0) {
      request.settledAsAnonymous = true;
      sendProblem(request, reply, problemOf(new IpBlockedError(remainingMs)));
    } else if (request.headers.authorization === undefined) {
      this.refusal(request, reply).then((refusal) => {
        if (refusal === null) {
          done();
        } else {
          void reply.send(refusal);
        }
      }, done);
    } else {
      done();
    }
  }

  /** Counts it as anonymous; what to answer when that was one too many. */
  private async refusal(request: FastifyRequest, reply: FastifyReply): Promise<string | null> {
    request.settledAsAnonymous = true;
    const ip = ipKey(request);
    const verdict = await this.limits.spend('anonymous', ip);
    const policy = this.limits.policyOf('anonymous');
    announceLimit(reply, 'anonymous', policy, verdict);
    this.abuse.note(ip, 'anonymous', verdict.admitted);
    if (verdict.admitted) {
      return null;
    }
    return writeProblem(request, reply, problemOf(new RateLimitedError('anonymous', policy, verdict.resetMs)));
  }
}

/** Not even a route that does not exist has a configuration of its own. */
function isUnlimited(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { unlimited?: boolean } | undefined)?.unlimited ?? false;
}
