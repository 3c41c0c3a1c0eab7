import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import type { NewEvent } from '../../../contracts/events.js';
import { deviceTopic } from '../../../contracts/mqtt.js';
import { MicroBatcher } from '../../../platform/batching/micro-batcher.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { LimitedLogger } from '../../../platform/logging/limited-logger.js';
import { RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import type { LockedDevice } from '../presence.types.js';
import { EventQuotasRepository } from './event-quotas.repository.js';

const NOT_TOLD = 'The events of this day are used up: it comes and goes without events until midnight (UTC).';
const COUNT_AFTER_MS = 200;
const MAX_BATCH = 500;
/** Changes of links that wait to be counted; those of further ones are not. */
const MAX_WAITING = 10_000;

/** What a link's change stored, for each of the subjects. */
interface Stored {
  readonly subjects: readonly string[];
  readonly events: number;
}

/** How many events a device causes on a day, whether it sends them or comes and goes. */
@Injectable()
export class DeviceEventsService implements BeforeApplicationShutdown {
  /**
   * Births and wills are counted after their transactions: in them, all devices of an owner would wait for one row, each
   * with a connection in hand. A day may get a few events more than it has for that.
   */
  readonly #counts = new MicroBatcher<Stored, undefined>({
    maxBatch: MAX_BATCH,
    connectsAs: 'line',
    maxParallel: 1,
    maxWaiting: MAX_WAITING,
    delayMs: COUNT_AFTER_MS,
    run: async (stored) => {
      await this.count(sumsOf(stored));
      return stored.map(() => undefined);
    },
  });
  readonly #log: LimitedLogger;

  constructor(
    private readonly quotas: EventQuotasRepository,
    private readonly events: EventLog,
    private readonly config: AppConfig,
    private readonly refusals: RejectedMessages,
    private readonly transactions: Transactions,
    logger: PinoLogger,
  ) {
    logger.setContext(DeviceEventsService.name);
    this.#log = new LimitedLogger(logger);
  }

  /**
   * Records what became of a link, as part of the surrounding transaction. Beyond what the day has left, nothing is
   * recorded: the state of the device changes all the same.
   */
  async append(deviceId: string, { ownerId, eventsToday }: LockedDevice, events: readonly NewEvent[]): Promise<void> {
    const { perDevice, perOwner } = this.config.eventsPerDay;
    const left = Math.min(perDevice - eventsToday.ofDevice, perOwner - eventsToday.ofOwner);
    if (events.length > left) {
      this.refusals.notice('too_many_events_today', deviceTopic(deviceId, 'status'), NOT_TOLD);
    } else if (events.length > 0) {
      await this.events.append(events);
      this.transactions.afterCommit(() => {
        this.countSoon({ subjects: [deviceId, ownerId], events: events.length });
      });
    }
  }

  /** Records what a device cannot repeat at will, as part of the surrounding transaction. */
  appendUncounted(events: readonly NewEvent[]): Promise<void> {
    return this.events.append(events);
  }

  /** Counts stored events of devices and of owners, as part of the surrounding transaction. */
  count(counts: ReadonlyMap<string, number>): Promise<void> {
    return this.quotas.add(counts);
  }

  /** Counts now what is to be counted. */
  flush(): Promise<void> {
    return this.#counts.flush();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  private countSoon(stored: Stored): void {
    this.#counts.submit(stored).catch((error: unknown) => {
      this.#log.warn('events_not_counted', { err: error }, 'Events of births or wills were not counted');
    });
  }
}

function sumsOf(stored: readonly Stored[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { subjects, events } of stored) {
    subjects.forEach((subject) => sums.set(subject, (sums.get(subject) ?? 0) + events));
  }
  return sums;
}
