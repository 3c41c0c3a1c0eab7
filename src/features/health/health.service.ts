import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import {
  HealthCheckService,
  type HealthCheckResult,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';
import { type Dependency, ReadinessRegistry, UnhealthyError } from '../../platform/health/readiness-registry.js';
import { Clock } from '../../shared/clock.js';
import { within } from '../../shared/deadline.js';

const CHECK_TIMEOUT_MS = 1_000;
/** A report is good for so long, whatever number of probes asks for it. */
const KEPT_MS = 1_000;
const NO_ANSWER = { reason: 'does not answer' };

/** Health for load balancers and operators. However many ask, each dependency is asked once at a time. */
@Injectable()
export class HealthService {
  #report: Promise<HealthCheckResult> | undefined;
  #expiresAt = Infinity;

  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: ReadinessRegistry,
    private readonly clock: Clock,
  ) {}

  /** The event loop runs. Dependencies are not checked: restarting this process would not repair them. */
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Whether to send work here: not while the process drains, nor while a critical dependency is away. */
  async ready(): Promise<HealthCheckResult> {
    return this.readiness.draining ? { status: 'shutting_down', details: {} } : this.report();
  }

  /** Every dependency, with the ones that only degrade the service. At most a second old. */
  report(): Promise<HealthCheckResult> {
    if (!this.#report || this.clock.monotonic() >= this.#expiresAt) {
      this.#expiresAt = Infinity;
      this.#report = this.checkAll().finally(() => {
        this.#expiresAt = this.clock.monotonic() + KEPT_MS;
      });
    }
    return this.#report;
  }

  private async checkAll(): Promise<HealthCheckResult> {
    try {
      return await this.checks.check(this.readiness.dependencies.map((dependency) => () => this.probe(dependency)));
    } catch (error) {
      // Terminus throws the report when a check is down.
      if (error instanceof ServiceUnavailableException) {
        return error.getResponse() as HealthCheckResult;
      }
      throw error;
    }
  }

  private async probe({ name, critical, check }: Dependency): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(name);
    try {
      return indicator.up(await within(CHECK_TIMEOUT_MS, check()));
    } catch (error) {
      const reason = error instanceof UnhealthyError ? { reason: error.message, ...error.details } : NO_ANSWER;
      return critical ? indicator.down(reason) : indicator.degraded(reason);
    }
  }
}
