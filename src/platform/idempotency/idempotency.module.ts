import { Global, Module } from '@nestjs/common';
import { Idempotency } from './idempotency.js';
import { RepeatSafe } from './repeat-safe.js';

@Global()
@Module({ providers: [Idempotency, RepeatSafe], exports: [Idempotency, RepeatSafe] })
export class IdempotencyModule {}
