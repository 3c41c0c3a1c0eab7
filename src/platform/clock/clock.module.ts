import { Global, Module } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { SystemClock } from '../../shared/system-clock.js';

@Global()
@Module({ providers: [{ provide: Clock, useClass: SystemClock }], exports: [Clock] })
export class ClockModule {}
