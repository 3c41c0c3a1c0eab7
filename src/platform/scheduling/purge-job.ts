import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../queue/job-registry.js';
import { PurgeRegistry } from './purge-registry.js';

/** Makes a repeating job of every purge rule. An edge of the worker role. */
@Injectable()
export class PurgeJob implements OnModuleInit {
  constructor(
    private readonly rules: PurgeRegistry,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    for (const [name, { everyMs }] of this.rules.all()) {
      this.jobs.register(name, { queue: 'maintenance', everyMs }, () => this.rules.run(name));
    }
  }
}
