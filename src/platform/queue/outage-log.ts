import { type PinoLogger } from 'nestjs-pino';

/** Says once that Redis is away, however often BullMQ tries. */
export class OutageLog {
  #reported = false;

  constructor(private readonly logger: PinoLogger) {}

  report(error: Error): void {
    if (!this.#reported) {
      this.#reported = true;
      this.logger.warn({ err: error }, 'The job queue is unreachable; jobs wait');
    }
  }

  over(): void {
    this.#reported = false;
  }
}
