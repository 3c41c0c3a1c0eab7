import { Global, Module } from '@nestjs/common';
import { LoopRegistry } from './loop-registry.js';
import { PurgeRegistry } from './purge-registry.js';

/** What runs again and again: loops in every process, and the rules of the purge jobs. */
@Global()
@Module({ providers: [LoopRegistry, PurgeRegistry], exports: [LoopRegistry, PurgeRegistry] })
export class SchedulingModule {}
