import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { SignalBus } from '../../../platform/redis/signal-bus.js';

/** Requests that wait at most; further ones are answered at once. */
const MAX_WAITERS = 200;

/** Requests that wait for an export to go on. */
@Injectable()
export class ExportWaiters implements OnModuleInit, OnModuleDestroy {
  readonly #waiting = new Map<string, Set<() => void>>();
  #count = 0;
  #stopped = false;
  #unsubscribe: (() => void) | undefined;

  constructor(private readonly signals: SignalBus) {}

  onModuleInit(): void {
    this.#unsubscribe = this.signals.on('export_changed', ({ exportId }) => {
      this.wake(exportId);
    });
  }

  /** Before the HTTP server closes, which waits for the requests that wait here. */
  onModuleDestroy(): void {
    this.#stopped = true;
    this.#unsubscribe?.();
    for (const exportId of [...this.#waiting.keys()]) {
      this.wake(exportId);
    }
  }

  /** Resolves when the export goes on, or after `limitMs`: signals may be lost. @returns whether to go on waiting. */
  async next(exportId: string, limitMs: number): Promise<boolean> {
    if (this.#count >= MAX_WAITERS || this.#stopped) {
      return false;
    }
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const end = (): void => {
      resolve(undefined);
    };
    const timer = setTimeout(end, limitMs);
    const others = this.#waiting.get(exportId) ?? new Set();
    this.#waiting.set(exportId, others.add(end));
    this.#count += 1;
    await promise;
    clearTimeout(timer);
    this.#count -= 1;
    others.delete(end);
    if (others.size === 0) {
      this.#waiting.delete(exportId);
    }
    // It changes while this waits.
    return !(this.#stopped as boolean);
  }

  private wake(exportId: string): void {
    this.#waiting.get(exportId)?.forEach((end) => {
      end();
    });
  }
}
