import { Global, Module } from '@nestjs/common';
import { DeadLetterRegistry } from './dead-letter-registry.js';

/** For every role: owners register what is shown to administrators, without a connection to the queues. */
@Global()
@Module({ providers: [DeadLetterRegistry], exports: [DeadLetterRegistry] })
export class DeadLettersModule {}
