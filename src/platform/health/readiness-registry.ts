import { Injectable } from '@nestjs/common';

/** One thing this process depends on. */
export interface Dependency {
  readonly name: string;
  /** Without it no request can be served; the others only degrade the service. */
  readonly critical: boolean;
  /** Rejects when the dependency does not answer. */
  readonly check: () => Promise<void>;
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
