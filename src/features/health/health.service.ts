import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import {
  HealthCheckService,
  type HealthCheckResult,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';
import { type Dependency, ReadinessRegistry } from '../../platform/health/readiness-registry.js';
import { within } from '../../shared/deadline.js';

const CHECK_TIMEOUT_MS = 1_000;

/** Health for load balancers and operators. */
@Injectable()
export class HealthService {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: ReadinessRegistry,
  ) {}

  /** The event loop runs. Dependencies are not checked: restarting this process would not repair them. */
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Whether to send work here: not while the process drains, nor while a critical dependency is away. */
  async ready(): Promise<HealthCheckResult> {
    return this.readiness.draining ? { status: 'shutting_down', details: {} } : this.report();
  }

  /** Every dependency, with the ones that only degrade the service. */
  async report(): Promise<HealthCheckResult> {
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
      await within(CHECK_TIMEOUT_MS, check());
      return indicator.up();
    } catch {
      return critical ? indicator.down('does not answer') : indicator.degraded();
    }
  }
}
