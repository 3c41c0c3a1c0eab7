import { Module } from '@nestjs/common';
import { SigningKeysService } from './signing-keys.service.js';

/** The keys that sign access tokens and orders: administration, and the public half of them. */
@Module({
  providers: [SigningKeysService],
  exports: [SigningKeysService],
})
export class SigningKeysModule {}
