import { Global, Module } from '@nestjs/common';
import { KeyStore } from '../keys/key-store.js';
import { PasswordHasher } from './password-hasher.js';
import { SigningKeysRepository } from '../keys/signing-keys.repository.js';

@Global()
@Module({
  providers: [KeyStore, SigningKeysRepository, PasswordHasher],
  exports: [KeyStore, SigningKeysRepository, PasswordHasher],
})
export class CryptoModule {}
