import type { PinoLogger } from 'nestjs-pino';
import { cutText } from '../../shared/cut-text.js';

const LINES_PER_SECOND = 10;
/** Of one kind, so that a device that causes one of them hides none of the others. */
const OF_KIND_PER_SECOND = 3;
/** Characters of a text: topics and the names in them come from devices. */
const MAX_TEXT = 200;

/**
 * Writes a few lines a second and counts the rest: for what a device can cause as often as it likes, so that one gone mad
 * cannot fill the disk. Each line says how many before it were left out, and holds no long text.
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
    this.write('warn', kind, fields, message);
  }

  /** @param kind one of a bounded number */
  error(kind: string, fields: Record<string, unknown>, message: string): void {
    this.write('error', kind, fields, message);
  }

  private write(level: 'warn' | 'error', kind: string, fields: Record<string, unknown>, message: string): void {
    if (!this.hasRoomFor(kind)) {
      this.#unlogged++;
      return;
    }
    const unlogged = this.#unlogged > 0 ? { unlogged: this.#unlogged } : {};
    this.logger[level]({ ...(shortened(fields) as object), ...unlogged }, message);
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

/** The same with its texts cut, those of its members included. An error stays as it is. */
function shortened(value: unknown): unknown {
  if (typeof value === 'string') {
    return cutText(value, MAX_TEXT);
  }
  if (Array.isArray(value)) {
    return value.map(shortened);
  }
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shortened(each)])) : value;
}
