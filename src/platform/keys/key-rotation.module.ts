import { Global, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { adoptionRule } from '../adoption/adoption-registry.js';
import { SignalBus } from '../redis/signal-bus.js';
import { CryptoModule } from '../crypto/crypto.module.js';
import { KeyRotationService } from './key-rotation.service.js';
import { KeyStore } from './key-store.js';
import { SigningKeysRepository } from './signing-keys.repository.js';
import { purgeRule } from '../scheduling/purge-registry.js';

/** Keys that were retired long ago: what they signed expired before that. */
const SIGNING_KEYS_PURGE = purgeRule({
  name: 'purge_signing_keys',
  tables: ['signing_keys'],
  keptFor: 'keysMs',
  from: [SigningKeysRepository],
  purge: ({ limit, keptMs }, keys) => keys.purge(limit, keptMs),
});

/**
 * One of them may have leaked and been retired since the backup, and every session ends anyway. Keys of orders stay: a lock that
 * does not know the new one refuses the first order after a restore.
 */
const SIGNING_KEYS_ADOPTION = adoptionRule({
  name: 'token_keys_retired',
  from: [SigningKeysRepository],
  adopt: (keys) => keys.retireAll('access_token'),
});

/** Changes of the signing keys, made here or heard of; `KeyStore` alone needs neither Redis nor other processes. */
@Global()
@Module({
  imports: [CryptoModule],
  providers: [KeyRotationService, SIGNING_KEYS_PURGE, SIGNING_KEYS_ADOPTION],
  exports: [KeyRotationService],
})
export class KeyRotationModule implements OnModuleInit, OnModuleDestroy {
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly keys: KeyStore,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    this.#unsubscribe = this.signals.on('signing_keys_changed', () => {
      this.keys.forget();
    });
  }

  onModuleDestroy(): void {
    this.#unsubscribe?.();
  }
}
