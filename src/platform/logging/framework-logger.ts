import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'nestjs-pino';

/** What Nest says of itself: its list of routes at every boot is for whoever debugs, its warnings are for everybody. */
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
