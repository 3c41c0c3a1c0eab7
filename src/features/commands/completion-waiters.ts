import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { CommandsRepository } from './commands.repository.js';
import { type Command } from './commands.types.js';
import { inBackground } from '../../platform/process/faults.js';

/** Requests that wait at most; further ones get their 202 at once. */
const MAX_WAITERS = 1_000;
/** A signal may be lost: therefore one query looks for all commands that are waited for. */
const POLL_INTERVAL_MS = 500;

/** A request that waits for a command to settle. Always {@link release} it. */
export interface Waiter {
  /**
   * Call it once the command is committed: from then on, a command that is missing was deleted with its device.
   * @returns the command as it settled; null when the time was up, the command was deleted or the process stops: read it
   *   again, because it may have changed without settling.
   */
  outcome(): Promise<Command | null>;
  release(): void;
}

interface Pending {
  readonly deviceId: string;
  isCommitted: boolean;
  readonly end: (settled: Command | null) => void;
}

/** A command that settled, one that does not exist, or undefined for one that is under way. */
type Ending = Command | 'missing' | undefined;

/**
 * Requests that wait for the outcome of a command. A command that settles in this process is passed on directly. When
 * another process settles it, or its device is deleted, a signal says so, and those of one moment are read by one query.
 */
@Injectable()
export class CompletionWaiters implements OnModuleInit, OnModuleDestroy {
  readonly #waiting = new Map<string, Set<Pending>>();
  readonly #reader = new MicroBatcher<string, Ending>({
    maxBatch: MAX_WAITERS,
    connectsAs: 'people',
    maxParallel: 1,
    maxWaiting: MAX_WAITERS,
    run: (ids) => this.read(ids),
  });
  #count = 0;
  #poll: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void)[] = [];
  #stopped = false;

  constructor(
    private readonly signals: SignalBus,
    private readonly repository: CommandsRepository,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(CompletionWaiters.name);
  }

  onModuleInit(): void {
    this.#unsubscribe = [
      this.signals.on('command_settled', ({ commandId }) => {
        if (this.#waiting.has(commandId)) {
          inBackground(() => this.readSoon(commandId));
        }
      }),
      this.signals.on('device_revoked', ({ deviceId }) => {
        for (const [id, pending] of this.#waiting) {
          if ([...pending].some((one) => one.deviceId === deviceId)) {
            inBackground(() => this.readSoon(id));
          }
        }
      }),
    ];
  }

  /** Before the HTTP server closes, which waits for the requests that wait here. */
  onModuleDestroy(): void {
    this.#stopped = true;
    this.#unsubscribe.forEach((unsubscribe) => {
      unsubscribe();
    });
    clearTimeout(this.#poll);
    for (const id of [...this.#waiting.keys()]) {
      this.end(id, null);
    }
  }

  /** Ends the waiting for this command. Its terminal state must be committed. */
  settle(command: Command): void {
    this.end(command.id, command);
  }

  /**
   * Starts waiting. Call it *before* reading the command: otherwise a change in between is missed.
   * @returns null when too many requests wait already, or the process stops
   */
  open({ id, deviceId }: Pick<Command, 'id' | 'deviceId'>, timeoutMs: number): Waiter | null {
    if (this.#count >= MAX_WAITERS || this.#stopped) {
      return null;
    }
    const { promise, resolve } = Promise.withResolvers<Command | null>();
    const timer = setTimeout(() => {
      pending.end(null);
    }, timeoutMs);
    const pending: Pending = {
      deviceId,
      isCommitted: false,
      end: (settled) => {
        if (this.remove(id, pending)) {
          clearTimeout(timer);
          resolve(settled);
        }
      },
    };
    this.#waiting.set(id, (this.#waiting.get(id) ?? new Set()).add(pending));
    this.#count += 1;
    this.schedulePoll();
    return {
      outcome: () => {
        pending.isCommitted = true;
        return promise;
      },
      release: () => {
        pending.end(null);
      },
    };
  }

  /** Requests that wait now. */
  get size(): number {
    return this.#count;
  }

  private end(commandId: string, settled: Command | null): void {
    for (const { end } of [...(this.#waiting.get(commandId) ?? [])]) {
      end(settled);
    }
  }

  private apply(commandId: string, ending: Ending): void {
    if (ending === 'missing') {
      const pending = [...(this.#waiting.get(commandId) ?? [])];
      pending
        .filter(({ isCommitted }) => isCommitted)
        .forEach(({ end }) => {
          end(null);
        });
    } else if (ending) {
      this.settle(ending);
    }
  }

  private remove(commandId: string, one: Pending): boolean {
    const pending = this.#waiting.get(commandId);
    if (!pending?.delete(one)) {
      return false;
    }
    this.#count -= 1;
    if (pending.size === 0) {
      this.#waiting.delete(commandId);
    }
    return true;
  }

  private async readSoon(commandId: string): Promise<void> {
    try {
      this.apply(commandId, await this.#reader.submit(commandId));
    } catch (error) {
      // The next poll comes within half a second.
      this.logger.warn({ err: error }, 'Could not read a settled command');
    }
  }

  private async read(ids: readonly string[]): Promise<Ending[]> {
    // Before the query: a command that is committed while it runs is one that it cannot see.
    const committed = new Set(ids.filter((id) => [...(this.#waiting.get(id) ?? [])].some((one) => one.isCommitted)));
    const { settled, missing } = await this.repository.listEnded(ids);
    const endings = new Map<string, Ending>([
      ...settled.map((command) => [command.id, command] as const),
      ...missing.filter((id) => committed.has(id)).map((id) => [id, 'missing'] as const),
    ]);
    return ids.map((id) => endings.get(id));
  }

  /** Polls only while requests wait. */
  private schedulePoll(): void {
    this.#poll ??= setTimeout(() => {
      inBackground(() => this.poll());
    }, POLL_INTERVAL_MS);
  }

  private async poll(): Promise<void> {
    try {
      const ids = [...this.#waiting.keys()];
      const endings = ids.length > 0 ? await this.read(ids) : [];
      endings.forEach((ending, index) => {
        this.apply(ids[index] ?? '', ending);
      });
    } catch (error) {
      this.logger.warn({ err: error }, 'Could not poll for settled commands');
    }
    this.#poll = undefined;
    if (this.#count > 0) {
      this.schedulePoll();
    }
  }
}
