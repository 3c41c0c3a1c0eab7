import { type PinoLogger } from 'nestjs-pino';
import { messageOfError } from '../../shared/error-message.js';

/** Says once that Redis is away, however often BullMQ tries. */
export class OutageLog {
  #reported = false;

  constructor(private readonly logger: PinoLogger) {}

  report(error: Error): void {
    if (!this.#reported) {
      this.#reported = true;
      this.logger.warn({ reason: messageOfError(error) }, 'The job queue is unreachable; jobs wait');
    }
  }

  over(): void {
    this.#reported = false;
  }
}
