import { Global, Module } from '@nestjs/common';
import { purgeRule } from '../scheduling/purge-registry.js';
import { IdempotencyService } from './idempotency.service.js';

/** Keys that are older than 24 hours. */
const IDEMPOTENCY_KEYS_PURGE = purgeRule({
  name: 'purge_idempotency_keys',
  everyMs: 3_600_000,
  from: [IdempotencyService],
  purge: (limit, idempotency) => idempotency.purge(limit),
});

@Global()
@Module({ providers: [IdempotencyService, IDEMPOTENCY_KEYS_PURGE], exports: [IdempotencyService] })
export class IdempotencyModule {}
