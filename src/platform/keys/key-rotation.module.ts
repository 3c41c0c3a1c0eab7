import { Global, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { SignalBus } from '../redis/signal-bus.js';
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
