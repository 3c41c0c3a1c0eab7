import { Global, Module } from '@nestjs/common';
import { PurgeRegistry } from './purge-registry.js';

@Global()
@Module({ providers: [PurgeRegistry], exports: [PurgeRegistry] })
export class SchedulingModule {}
