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
 * The first thing every request meets: blocked addresses are refused, and what comes without a token is counted by
 * address before any work is done for it. A request that brought one is counted when it turns out to be worth nothing:
 * a household must not be locked out by one of its members, nor a token of nobody be a way around the limit.
 */
@Injectable()
export class IpRateLimiter {
  constructor(
    private readonly limits: RateLimiter,
    private readonly blocked: BlockedIpStore,
    private readonly rows: AbuseDetector,
  ) {}

  /** Call it when the security headers are already in place: what is refused here has them, too. */
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
      if (request.principal || request.settledAsAnonymous || request.method === 'OPTIONS') {
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
    const address = ipKey(request);
    const verdict = await this.limits.spend('anonymous', address);
    const policy = this.limits.policyOf('anonymous');
    announceLimit(reply, 'anonymous', policy, verdict);
    this.rows.note(address, 'anonymous', verdict.admitted);
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
