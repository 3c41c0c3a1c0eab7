import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'nestjs-pino';

/** What Nest logs: its list of routes at every boot at level debug, its warnings as warnings. */
export class FrameworkLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...details: unknown[]): void {
    this.logger.debug(message, ...details);
  }

  debug(message: unknown, ...details: unknown[]): void {
    this.logger.debug(message, ...details);
  }

  verbose(message: unknown, ...details: unknown[]): void {
    this.logger.verbose(message, ...details);
  }

  warn(message: unknown, ...details: unknown[]): void {
    this.logger.warn(message, ...details);
  }

  error(message: unknown, ...details: unknown[]): void {
    this.logger.error(message, ...details);
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.logger.fatal(message, ...details);
  }
}
