import { Global, Module } from '@nestjs/common';
import { purgeRule } from '../scheduling/purge-registry.js';
import { Idempotency } from './idempotency.js';

/** Keys that are older than 24 hours. */
const IDEMPOTENCY_KEYS_PURGE = purgeRule({
  name: 'purge_idempotency_keys',
  everyMs: 3_600_000,
  from: [Idempotency],
  purge: (limit, idempotency) => idempotency.purge(limit),
});

@Global()
@Module({ providers: [Idempotency, IDEMPOTENCY_KEYS_PURGE], exports: [Idempotency] })
export class IdempotencyModule {}
