import type { PinoLogger } from 'nestjs-pino';

const LINES_PER_SECOND = 10;
/** Of one kind, so that a device that causes one of them hides none of the others. */
const OF_KIND_PER_SECOND = 3;

/**
 * Writes a few lines a second and counts the rest: for what a device can cause as often as it likes, so that one gone mad
 * cannot fill the disk. Each line says how many before it were left out.
 */
export class LimitedLogger {
  #second = 0;
  #lines = 0;
  #unlogged = 0;
  /** Lines of this second, by kind. */
  readonly #ofKind = new Map<string, number>();

  constructor(private readonly logger: PinoLogger) {}

  /** @param kind one of a bounded number */
  warn(kind: string, fields: Record<string, unknown>, message: string): void {
    if (!this.hasRoomFor(kind)) {
      this.#unlogged++;
      return;
    }
    this.logger.warn(this.#unlogged > 0 ? { ...fields, unlogged: this.#unlogged } : fields, message);
    this.#unlogged = 0;
  }

  private hasRoomFor(kind: string): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
      this.#ofKind.clear();
    }
    const ofKind = this.#ofKind.get(kind) ?? 0;
    if (this.#lines >= LINES_PER_SECOND || ofKind >= OF_KIND_PER_SECOND) {
      return false;
    }
    this.#lines += 1;
    this.#ofKind.set(kind, ofKind + 1);
    return true;
  }
}
