import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../queue/job-registry.js';
import { KeyRotationService } from './key-rotation.service.js';

declare module '../../contracts/jobs.js' {
  interface Jobs {
    /** Publishes, activates and retires signing keys whose time has come. */
    rotate_signing_keys: Record<string, never>;
  }
}

/** Rotates the signing keys when their time has come: an edge of the worker role. */
@Injectable()
export class KeyRotationJob implements OnModuleInit {
  constructor(
    private readonly rotation: KeyRotationService,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register('rotate_signing_keys', { queue: 'maintenance', everyMs: 3_600_000 }, () =>
      this.rotation.maintain(),
    );
  }
}
