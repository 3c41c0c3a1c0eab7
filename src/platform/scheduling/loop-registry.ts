import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type HealthDetails, ReadinessRegistry, UnhealthyError } from '../health/readiness-registry.js';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { DeadlineExceededError } from '../../shared/deadline.js';
import { BackgroundLoop, type LoopOptions, type StepOutcome } from './background-loop.js';

/**
 * Every loop of this process, by its name. Health shows those that stand still, because a loop can stop for another reason
 * than a dependency that is away, and nothing else would tell.
 */
@Injectable()
export class LoopRegistry implements OnModuleInit {
  readonly #loops = new Map<string, BackgroundLoop>();
  readonly #failures: Counter<'loop'>;
  readonly #overdue: Counter<'loop'>;

  constructor(
    private readonly readiness: ReadinessRegistry,
    metrics: Metrics,
  ) {
    this.#failures = metrics.counter('mortise_loop_failures_total', 'Steps of a background loop that failed.', [
      'loop',
    ]);
    this.#overdue = metrics.counter(
      'mortise_loop_overdue_total',
      'Steps of a background loop that did not end within their deadline, and were given up.',
      ['loop'],
    );
    metrics.gauge(
      'mortise_loop_age_seconds',
      'Time since a background loop last completed a step without an error.',
      ['loop'],
      (age) => {
        this.#loops.forEach((loop, name) => {
          age.set({ loop: name }, loop.ageMs / 1_000);
        });
      },
    );
  }

  onModuleInit(): void {
    this.readiness.register({ name: 'loops', critical: false, check: () => this.check() });
  }

  /**
   * A loop that counts among those of this process. It does not run yet.
   * @throws when there is one of this name: health could not tell them apart.
   */
  create(name: string, step: () => Promise<StepOutcome>, options: LoopOptions): BackgroundLoop {
    if (this.#loops.has(name)) {
      throw new Error(`Two background loops are named "${name}".`);
    }
    const loop = new BackgroundLoop(step, {
      ...options,
      onError: (error, failures) => {
        const isOverdue = error instanceof DeadlineExceededError;
        (isOverdue ? this.#overdue : this.#failures).inc({ loop: name });
        options.onError(error, failures);
      },
    });
    this.#loops.set(name, loop);
    return loop;
  }

  /** @throws UnhealthyError with the loops that stand still, and for how many seconds */
  private check(): Promise<HealthDetails | undefined> {
    const still = [...this.#loops].filter(([, loop]) => loop.standsStill);
    if (still.length === 0) {
      return Promise.resolve(undefined);
    }
    const seconds = still.map(([name, { ageMs }]) => [name, Math.round(ageMs / 1_000)] as const);
    return Promise.reject(new UnhealthyError('loops stand still', Object.fromEntries(seconds)));
  }
}
