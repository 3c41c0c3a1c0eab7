import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../../../platform/queue/job-registry.js';
import { LoginThrottleRepository } from './login-throttle.repository.js';
import { LoginWindowsRepository } from './login-windows.repository.js';

const BATCH = 1_000;

/** Deletes counts of failed logins that are past their time. An edge of the worker role. */
@Injectable()
export class LoginPurge implements OnModuleInit {
  constructor(
    private readonly throttles: LoginThrottleRepository,
    private readonly windows: LoginWindowsRepository,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register('purge_login_throttles', async () => {
      await all((limit) => this.throttles.purge(limit));
      await all((limit) => this.windows.purge(limit));
    });
  }
}

async function all(purge: (limit: number) => Promise<number>): Promise<void> {
  while ((await purge(BATCH)) === BATCH) {
    // The next batch.
  }
}
