import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { PurgeName } from '../../contracts/jobs.js';
import { type Gauge, Metrics } from '../metrics/metrics.js';
import { JobRegistry } from '../queue/job-registry.js';
import { PurgeRegistry } from './purge-registry.js';
import { PurgeRunsRepository } from './purge-runs.repository.js';

/** Makes a repeating job of every purge rule, and keeps how each goes. An edge of the worker role. */
@Injectable()
export class PurgeJob implements OnModuleInit {
  readonly #caughtUp: Gauge<'rule'>;
  readonly #behind: Gauge<'rule'>;

  constructor(
    private readonly rules: PurgeRegistry,
    private readonly runs: PurgeRunsRepository,
    private readonly jobs: JobRegistry,
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(PurgeJob.name);
    this.#caughtUp = metrics.gauge(
      'mortise_purge_caught_up_timestamp_seconds',
      'When this process last left nothing that is past its time, by purge rule.',
      ['rule'],
    );
    this.#behind = metrics.gauge('mortise_purge_behind', '1 when the last run left rows for the next one.', ['rule']);
  }

  async onModuleInit(): Promise<void> {
    const rules = this.rules.all();
    for (const [name, { everyMs }] of rules) {
      this.jobs.register(name, { queue: 'maintenance', everyMs }, () => this.run(name));
    }
    await this.runs.expect(rules.map(([name]) => name)).catch((error: unknown) => {
      // The first run of each makes its row as well.
      this.logger.warn({ err: error }, 'The purge rules could not be noted');
    });
  }

  private async run(name: PurgeName): Promise<void> {
    try {
      const { deleted, more } = await this.rules.run(name);
      await this.runs.recordEnd(name, !more);
      this.#behind.set({ rule: name }, more ? 1 : 0);
      if (!more) {
        this.#caughtUp.set({ rule: name }, Math.floor(Date.now() / 1_000));
      }
      if (deleted > 0) {
        this.logger.info({ rule: name, deleted, more }, 'Rows past their time were deleted');
      }
    } catch (error) {
      // Where the database is away this fails, too, and the run that is missing will show.
      await this.runs.recordFailure(name).catch(() => undefined);
      throw error;
    }
  }
}
