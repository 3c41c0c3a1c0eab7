import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { BUSY } from '../../../shared/common-problems.js';
import { DomainError, AsProblem } from '../../../shared/domain-error.js';
import type { RequestPriority } from '../../context/request-context.js';
import { type Counter, Metrics } from '../../metrics/metrics.js';
import { Database } from '../../prisma/database.js';
import { worksLonger } from './extra-time.decorator.js';
import { priorityOf } from './vital.decorator.js';

/**
 * The longest wait, in milliseconds, at which each is still admitted. A request takes several connections one after the other, so
 * reads give way long before those of others time out (5 s).
 */
const ADMITTED_UP_TO_MS: Readonly<Record<RequestPriority, number>> = { read: 1_000, write: 2_500, vital: Infinity };
const RETRY_AFTER_S = 2;
const LOOP_WINDOW_MS = 1_000;
const NS_PER_MS = 1e6;

/** There is more to do than can be done. What matters more goes on. */
@AsProblem(BUSY)
export class OverloadedError extends DomainError {
  constructor() {
    super('Too much is going on. Try again shortly.', { retryAfter: RETRY_AFTER_S });
  }
}

/** Whether work of this priority is worth beginning where it would wait so long. */
export function isAdmitted(priority: RequestPriority, waitMs: number): boolean {
  return waitMs <= ADMITTED_UP_TO_MS[priority];
}

/**
 * Refuses work at once that would only queue: first reads, which a client repeats without harm, then writes, and never what
 * is vital. It measures what everything waits for: connections to PostgreSQL, and this process itself.
 */
@Injectable()
export class AdmissionLimiter implements OnModuleInit, OnModuleDestroy {
  readonly #shed: Counter<'priority'>;
  readonly #loop = monitorEventLoopDelay();
  /** Of the last two windows: one stall, as at the start of the process, is no overload. */
  #loopDelaysMs: [number, number] = [0, 0];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    metrics: Metrics,
  ) {
    this.#shed = metrics.counter('mortise_shed_total', 'Requests refused at once because of too much work', [
      'priority',
    ]);
  }

  onModuleInit(): void {
    this.#loop.enable();
    this.#timer = setInterval(() => {
      this.#loopDelaysMs = [this.#loop.percentile(50) / NS_PER_MS, this.#loopDelaysMs[0]];
      this.#loop.reset();
    }, LOOP_WINDOW_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
    this.#loop.disable();
  }

  /** Call it where requests have been counted by their address, so that a flood is still blocked while it is refused here. */
  install(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', (request, _reply, done) => {
      const priority = priorityOf(request);
      if (request.requestContext) {
        // A long answer is not broken off for want of the connections that reads share.
        request.requestContext.priority = priority === 'read' && worksLonger(request) ? 'write' : priority;
      }
      const isProbe = (request.routeOptions.config as { unlimited?: boolean } | undefined)?.unlimited === true;
      done(isProbe || this.admits(priority) ? undefined : new OverloadedError());
    });
  }

  /** @throws OverloadedError */
  admit(priority: RequestPriority): void {
    if (!this.admits(priority)) {
      throw new OverloadedError();
    }
  }

  private admits(priority: RequestPriority): boolean {
    const waitMs = Math.max(
      this.database.waitMs(priority === 'read' ? 'reads' : 'people'),
      Math.min(...this.#loopDelaysMs),
    );
    const admitted = isAdmitted(priority, waitMs);
    if (!admitted) {
      this.#shed.inc({ priority });
    }
    return admitted;
  }
}
