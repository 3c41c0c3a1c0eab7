import { Global, Module } from '@nestjs/common';
import { purgeRule } from '../scheduling/purge-registry.js';
import { IDEMPOTENCY_TTL_HOURS, IdempotencyService } from './idempotency.service.js';

const HOUR_MS = 3_600_000;

/** Keys that are older than 24 hours. */
const IDEMPOTENCY_KEYS_PURGE = purgeRule({
  name: 'purge_idempotency_keys',
  tables: ['idempotency_records'],
  keptFor: IDEMPOTENCY_TTL_HOURS * HOUR_MS,
  from: [IdempotencyService],
  purge: ({ limit, keptMs }, idempotency) => idempotency.purge(limit, keptMs),
});

@Global()
@Module({ providers: [IdempotencyService, IDEMPOTENCY_KEYS_PURGE], exports: [IdempotencyService] })
export class IdempotencyModule {}
