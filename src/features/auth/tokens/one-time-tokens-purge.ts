import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../../../platform/queue/job-registry.js';
import { OneTimeTokensRepository } from './one-time-tokens.repository.js';

const BATCH = 1_000;

/** Deletes tokens that are used or expired. An edge of the worker role. */
@Injectable()
export class OneTimeTokensPurge implements OnModuleInit {
  constructor(
    private readonly repository: OneTimeTokensRepository,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register('purge_one_time_tokens', () => this.purge());
  }

  private async purge(): Promise<void> {
    while ((await this.repository.purge(BATCH)) === BATCH) {
      // The next batch.
    }
  }
}
