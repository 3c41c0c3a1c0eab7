import type { DeviceEventMessage, DeviceMessages, ReceiptMessage } from '../../src/contracts/mqtt.js';
import { EventQueue, type Report } from './event-queue.js';
import { decodeUtf8, isObject, parseStrictJson } from './strict-json.js';

export interface EventReporterOptions {
  boot: string;
  stamp: () => Pick<DeviceEventMessage, 'occurredAt' | 'uptimeMs'>;
  publish: (events: DeviceMessages['events']) => Promise<boolean>;
  /** First pause before events without a receipt are sent again; it doubles up to {@link LONGEST_PAUSE_MS}. */
  retryMs: number;
}

const LONGEST_PAUSE_MS = 60_000;

/** Reports events until a receipt says that they are committed: a broker's acknowledgement does not say so. */
export class EventReporter {
  readonly #queue: EventQueue;
  #pauseMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: EventReporterOptions) {
    this.#queue = new EventQueue(options.boot);
    this.#pauseMs = options.retryMs;
  }

  /** Events that no receipt covers yet. */
  get waiting(): number {
    return this.#queue.size;
  }

  report(report: Report): readonly DeviceEventMessage[] {
    const events = this.#queue.add(report, this.options.stamp());
    const [first, ...rest] = this.#queue.stamped(events);
    if (first) {
      void this.options.publish(rest.length === 0 ? first : [first, ...rest]);
      this.#timer ??= this.#retryLater();
    }
    return events;
  }

  /** True if it was a receipt of this boot. */
  acceptReceipt(message: Uint8Array): boolean {
    const receipt = readReceipt(message);
    if (!receipt || !this.#queue.settle(receipt)) {
      return false;
    }
    this.#pauseMs = this.options.retryMs;
    this.pause();
    if (this.#queue.size > 0) {
      this.#timer = this.#retryLater();
    }
    return true;
  }

  /** Sends all that waits once more. */
  resend(): void {
    this.pause();
    for (const batch of this.#queue.batches()) {
      void this.options.publish(batch);
    }
    if (this.#queue.size > 0) {
      this.#timer = this.#retryLater();
    }
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #retryLater(): NodeJS.Timeout {
    const pauseMs = this.#pauseMs;
    return setTimeout(() => {
      this.#pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      this.resend();
    }, pauseMs);
  }
}

function readReceipt(message: Uint8Array): ReceiptMessage | undefined {
  const text = decodeUtf8(message);
  const parsed = text === undefined ? undefined : parseStrictJson(text);
  if (!parsed?.ok || !isObject(parsed.value)) {
    return undefined;
  }
  const { boot, seq } = parsed.value;
  return typeof boot === 'string' && typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0
    ? { boot, seq }
    : undefined;
}
