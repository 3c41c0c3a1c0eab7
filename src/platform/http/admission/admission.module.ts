import { Global, Module } from '@nestjs/common';
import { AdmissionLimiter } from './admission-limiter.js';

/** What this process takes on at the moment. */
@Global()
@Module({ providers: [AdmissionLimiter], exports: [AdmissionLimiter] })
export class AdmissionModule {}
