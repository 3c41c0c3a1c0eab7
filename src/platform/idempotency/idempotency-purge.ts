import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../queue/job-registry.js';
import { Idempotency } from './idempotency.js';

const BATCH = 1_000;

/** Forgets keys after their 24 hours, in batches that hold no lock for long. */
@Injectable()
export class IdempotencyPurge implements OnModuleInit {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register('purge_idempotency_keys', () => this.purge());
  }

  private async purge(): Promise<void> {
    while ((await this.idempotency.purge(BATCH)) === BATCH) {
      // The next batch.
    }
  }
}
