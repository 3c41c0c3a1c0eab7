import { Injectable } from '@nestjs/common';

/** What a check has to say beside its state, as an operator reads it. Never a secret: health is public. */
export type HealthDetails = Readonly<Record<string, string | number | boolean | null>>;

/** A dependency does not do its work, and why. Any other error of a check is shown as `does not answer`. */
export class UnhealthyError extends Error {
  constructor(
    message: string,
    readonly details: HealthDetails = {},
  ) {
    super(message);
    this.name = 'UnhealthyError';
  }
}

/** One thing this process depends on. */
export interface Dependency {
  readonly name: string;
  /** Without it no request can be served; the others only degrade the service. */
  readonly critical: boolean;
  /** Rejects when the dependency does not answer, with an {@link UnhealthyError} when there is more to say. */
  readonly check: () => Promise<HealthDetails | undefined>;
}

/** What must answer before this process takes work, and whether it is on its way out. Owners of a technology register here. */
@Injectable()
export class ReadinessRegistry {
  readonly #dependencies: Dependency[] = [];
  #draining = false;

  register(dependency: Dependency): void {
    this.#dependencies.push(dependency);
  }

  get dependencies(): readonly Dependency[] {
    return this.#dependencies;
  }

  /** From now on the readiness probe fails, so that load balancers send requests elsewhere. */
  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }
}
