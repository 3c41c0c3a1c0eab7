import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { ReadinessRegistry, UnhealthyError } from '../health/readiness-registry.js';
import { LoopRegistry } from './loop-registry.js';
import { PurgeRegistry } from './purge-registry.js';
import { PurgeRunsRepository } from './purge-runs.repository.js';

/** What runs again and again: loops in every process, and the purge rules with what health says of them. */
@Global()
@Module({
  providers: [LoopRegistry, PurgeRegistry, PurgeRunsRepository],
  exports: [LoopRegistry, PurgeRegistry, PurgeRunsRepository],
})
export class SchedulingModule implements OnModuleInit {
  constructor(
    private readonly readiness: ReadinessRegistry,
    private readonly rules: PurgeRegistry,
    private readonly runs: PurgeRunsRepository,
  ) {}

  onModuleInit(): void {
    this.readiness.register({ name: 'retention', critical: false, check: () => this.check() });
  }

  /** @throws UnhealthyError that names the rules which do not end what they should. */
  private async check(): Promise<undefined> {
    const runs = await this.runs.list(this.rules.retentions().map(({ name }) => name));
    // What no process has run yet is not late: an installation without a worker says so elsewhere.
    const late = runs.filter(({ state, knownSince }) => knownSince !== null && state !== 'ok');
    if (late.length > 0) {
      throw new UnhealthyError(
        'rows are kept beyond their time',
        Object.fromEntries(late.map(({ rule, state }) => [rule, state])),
      );
    }
    return undefined;
  }
}
