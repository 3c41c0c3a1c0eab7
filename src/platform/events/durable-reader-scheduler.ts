import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { SignalBus } from '../redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { type DurableReader, DurableReaderRegistry } from './durable-reader-registry.js';
import { ReaderBatchService } from './reader-batch.service.js';

const IDLE_MS = 500;
/** A reader that fails keeps its cursor and tries again; the other readers go on. */
const RETRY_MS = 10_000;

/** Runs every durable reader, each in a loop of its own. Several workers may: one at a time holds a reader. */
@Injectable()
export class DurableReaderScheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #applied: Counter<'reader'>;
  readonly #failures: Counter<'reader'>;
  #loops: BackgroundLoop[] = [];
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly readers: DurableReaderRegistry,
    private readonly batches: ReaderBatchService,
    private readonly signals: SignalBus,
    private readonly registry: LoopRegistry,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(DurableReaderScheduler.name);
    this.#applied = metrics.counter('mortise_event_reader_events_total', 'Events that a durable reader applied.', [
      'reader',
    ]);
    this.#failures = metrics.counter('mortise_event_reader_failures_total', 'Batches that a durable reader failed.', [
      'reader',
    ]);
  }

  onApplicationBootstrap(): void {
    const readers = this.readers.list().map((reader) => ({ reader, loop: this.loopOf(reader) }));
    const eager = readers.filter(({ reader }) => reader.pollEveryMs === undefined);
    this.#loops = readers.map(({ loop }) => loop);
    this.#unsubscribe = this.signals.on('events_appended', () => {
      eager.forEach(({ loop }) => {
        loop.wake();
      });
    });
    this.#loops.forEach((loop) => {
      loop.start();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe?.();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  private loopOf(reader: DurableReader): BackgroundLoop {
    return this.registry.create(`reader_${reader.name}`, () => this.step(reader), {
      ...(reader.pollEveryMs !== undefined && { idleFromMs: reader.pollEveryMs }),
      idleMs: reader.pollEveryMs ?? IDLE_MS,
      retryMs: RETRY_MS,
      onError: (error) => {
        this.#failures.inc({ reader: reader.name });
        this.logger.error(
          { reader: reader.name, err: error },
          'A durable reader failed; it tries the same events again',
        );
      },
    });
  }

  private async step(reader: DurableReader): Promise<StepOutcome> {
    const applied = await this.batches.applyNext(reader);
    this.#applied.inc({ reader: reader.name }, applied.length);
    return applied.length < reader.batchSize ? 'idle' : 'more';
  }
}
