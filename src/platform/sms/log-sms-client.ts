import type { PinoLogger } from 'nestjs-pino';
import { SmsClient, type SmsOutcome } from './sms-client.js';

/** Without an account at a provider, text messages go to the log. */
export class LogSmsClient extends SmsClient {
  constructor(private readonly logger: PinoLogger) {
    super();
    logger.setContext(LogSmsClient.name);
  }

  send(to: string, text: string, id: string): Promise<SmsOutcome> {
    this.logger.info({ smsId: id, to, text }, 'SMS (no TWILIO_ACCOUNT_SID)');
    return Promise.resolve({ sent: true, providerId: null });
  }
}
