import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { EventLog } from '../../platform/events/event-log.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { DeviceStateService } from '../presence/device-state.service.js';
import { advance } from './domain/contiguous.js';
import { HistoryRepository } from './history.repository.js';
import { groupByStart, keyOf, startOf, toNewEvent, toReports } from './incoming-events.js';
import type { IncomingEvent, Receipt } from './history.types.js';

/** What became of a batch. */
export interface Ingested {
  /** How far each start is stored now: also for pure repeats, because their first receipt may be lost. */
  readonly receipts: readonly Receipt[];
  /** Events beyond a gap. Not stored: the device sends them again, unless the gap closes by itself. */
  readonly waiting: readonly IncomingEvent[];
}

/** Stores batches of device events: the log, the receipts and the state of the devices move together or not at all. */
@Injectable()
export class EventIngestService {
  constructor(
    private readonly repository: HistoryRepository,
    private readonly transactions: Transactions,
    private readonly events: EventLog,
    private readonly states: DeviceStateService,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(EventIngestService.name);
  }

  /** Stores what continues the sequences, in one transaction. */
  store(batch: readonly IncomingEvent[]): Promise<Ingested> {
    return this.transactions.independently(async () => {
      const starts = groupByStart(batch);
      const held = await this.repository.holdReceipts([...starts.values()].map(startOf));
      const steps = held.map((row) => ({ row, ...advance(row.seq, starts.get(keyOf(row))?.events ?? []) }));
      const moved = steps.filter(({ accepted }) => accepted.length > 0);
      if (moved.length > 0) {
        await this.repository.advanceReceipts(moved.map(({ row, seq }) => ({ ...startOf(row), seq, from: row.seq })));
        await this.events.append(moved.flatMap(({ row, accepted }) => accepted.map((event) => toNewEvent(event, row))));
        await this.states.record(moved.flatMap(({ accepted }) => accepted.flatMap(toReports)));
      }
      return {
        receipts: steps.map(({ row, seq }) => ({ ...startOf(row), seq })),
        waiting: steps.flatMap(({ waiting }) => waiting),
      };
    });
  }

  /** When the batch fails, each device is tried on its own: one that cannot be stored must not hold up the others. */
  async storeApart(batch: readonly IncomingEvent[]): Promise<Ingested> {
    const outcomes: Ingested[] = [];
    for (const { deviceId, events } of groupByStart(batch).values()) {
      try {
        outcomes.push(await this.store(events));
      } catch (error) {
        this.logger.error({ err: error, deviceId, events: events.length }, 'Events were not stored');
      }
    }
    return {
      receipts: outcomes.flatMap(({ receipts }) => receipts),
      waiting: outcomes.flatMap(({ waiting }) => waiting),
    };
  }
}
