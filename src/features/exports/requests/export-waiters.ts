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

  /**
   * Resolves when the export goes on, or after `limitMs`: signals may be lost.
   * @param gone aborted when no one waits any more
   * @returns whether to go on waiting
   */
  async next(exportId: string, limitMs: number, gone?: AbortSignal): Promise<boolean> {
    // Both change while this waits.
    const isOver = (): boolean => this.#stopped || gone?.aborted === true;
    if (this.#count >= MAX_WAITERS || isOver()) {
      return false;
    }
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const end = (): void => {
      resolve(undefined);
    };
    const timer = setTimeout(end, limitMs);
    gone?.addEventListener('abort', end, { once: true });
    const others = this.#waiting.get(exportId) ?? new Set();
    this.#waiting.set(exportId, others.add(end));
    this.#count += 1;
    await promise;
    clearTimeout(timer);
    gone?.removeEventListener('abort', end);
    this.#count -= 1;
    others.delete(end);
    if (others.size === 0) {
      this.#waiting.delete(exportId);
    }
    return !isOver();
  }

  private wake(exportId: string): void {
    this.#waiting.get(exportId)?.forEach((end) => {
      end();
    });
  }
}
