import { Injectable, type OnModuleInit } from '@nestjs/common';
import { JobRegistry } from '../queue/job-registry.js';
import { KeyRotation } from './key-rotation.js';

/** Rotates the signing keys when their time has come: an edge of the worker role. */
@Injectable()
export class KeyRotationJob implements OnModuleInit {
  constructor(
    private readonly rotation: KeyRotation,
    private readonly jobs: JobRegistry,
  ) {}

  onModuleInit(): void {
    this.jobs.register('rotate_signing_keys', () => this.rotation.maintain());
  }
}
