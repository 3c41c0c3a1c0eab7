import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../../platform/queue/job-registry.js';
import { InvitationsRepository } from './invitations.repository.js';

const BATCH = 1_000;

/** Forgets invitations that nobody can accept any more. An edge of the worker role. */
@Injectable()
export class InvitationsPurge implements OnModuleInit {
  constructor(
    private readonly repository: InvitationsRepository,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register('purge_invitations', () => this.purge());
  }

  private async purge(): Promise<void> {
    while ((await this.repository.purge(BATCH)) === BATCH) {
      // The next batch.
    }
  }
}
