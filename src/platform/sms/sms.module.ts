import { Module } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import { LogSmsClient } from './log-sms-client.js';
import { SmsClient } from './sms-client.js';
import { TwilioClient } from './twilio-client.js';

@Module({
  providers: [
    {
      provide: SmsClient,
      inject: [AppConfig, Clock, PinoLogger],
      useFactory: ({ sms: { twilio } }: AppConfig, clock: Clock, logger: PinoLogger): SmsClient =>
        twilio === null ? new LogSmsClient(logger) : new TwilioClient(twilio, clock),
    },
  ],
  exports: [SmsClient],
})
export class SmsModule {}
