import type { PinoLogger } from 'nestjs-pino';

const LINES_PER_SECOND = 10;

/**
 * Writes a few lines a second and counts the rest: for what a device can cause as often as it likes, so that one gone mad
 * cannot fill the disk. Each line says how many before it were left out.
 */
export class LimitedLogger {
  #second = 0;
  #lines = 0;
  #unlogged = 0;

  constructor(private readonly logger: PinoLogger) {}

  warn(fields: Record<string, unknown>, message: string): void {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    if (++this.#lines > LINES_PER_SECOND) {
      this.#unlogged++;
      return;
    }
    this.logger.warn(this.#unlogged > 0 ? { ...fields, unlogged: this.#unlogged } : fields, message);
    this.#unlogged = 0;
  }
}
