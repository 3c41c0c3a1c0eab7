import { Global, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Signals } from '../redis/signals.js';
import { CryptoModule } from '../crypto/crypto.module.js';
import { KeyRotationService } from './key-rotation.service.js';
import { KeyStore } from './key-store.js';

/** Changes of the signing keys, made here or heard of; `KeyStore` alone needs neither Redis nor other processes. */
@Global()
@Module({ imports: [CryptoModule], providers: [KeyRotationService], exports: [KeyRotationService] })
export class KeyRotationModule implements OnModuleInit, OnModuleDestroy {
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly keys: KeyStore,
    private readonly signals: Signals,
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
