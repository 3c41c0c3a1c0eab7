import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { LinkKind } from '../../contracts/devices.js';
import type { DeviceEventType } from '../../contracts/events.js';
import { deviceTopic } from '../../contracts/mqtt.js';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { requestContext } from '../../platform/context/request-context.js';
import { EventLog } from '../../platform/events/event-log.js';
import { DevicePublisher } from '../../platform/mqtt/device-publisher.js';
import { NO_VALID_TOKEN, RejectedMessages } from '../../platform/mqtt/rejected-messages.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { Clock } from '../../shared/clock.js';
import { PresenceService } from '../presence/presence.service.js';
import { advance, waitAll } from './domain/contiguous.js';
import { resume } from './domain/resumption.js';
import type { Step } from './domain/daily-quota.js';
import { EventQuota } from './event-quota.js';
import { HistoryRepository } from './history.repository.js';
import type {
  ArrivedBoot,
  DeviceBoot,
  IncomingEvent,
  Receipt,
  ReceiptRow,
  ReceivedEvent,
  StoredEventHandler,
} from './history.types.js';
import {
  awaitsBirth,
  bootOf,
  groupByBoot,
  happenedToThisOwner,
  keyOf,
  toIncoming,
  toNewEvent,
  toReports,
} from './incoming-events.js';
import { inBackground } from '../../platform/process/faults.js';

/** Events stored by one transaction. */
const MAX_BATCH = 500;
/** Messages that wait: more than there are ever in process, since each waits for its own to be stored. */
const MAX_WAITING = 10_000;
/** Two hardware processes share the messages of a device: the other one may still process the previous message, or a birth. */
const PATIENCE_MS = 300;
const LOOK_EVERY_MS = 30;

type Events = readonly IncomingEvent[];

/** What became of one message. */
interface Ingested {
  /** Those of its events that are not stored. */
  readonly left: Events;
  /** How far the boot of its first event is stored, where that covers some of what came. */
  readonly receipt: Receipt | undefined;
}

interface Stored {
  /**
   * How far each boot is stored now, where that covers some of what came: also pure repeats, because their first receipt
   * may be lost. One that covers nothing would keep the device from backing off.
   */
  readonly receipts: readonly Receipt[];
  /**
   * Not stored: those beyond a gap, which the device sends again unless the gap closes by itself, and those that wait a
   * moment for the birth of their boot.
   */
  readonly left: Events;
}

/**
 * Stores the events of devices, those of many messages in one transaction: the log, the receipts and the state of the
 * devices change together or not at all. One transaction runs at a time; the next one takes what arrived meanwhile.
 */
@Injectable()
export class EventIngestService implements OnModuleInit {
  readonly #batches = new MicroBatcher<Events, Ingested>({
    maxBatch: MAX_BATCH,
    weightOf: (events) => events.length,
    connectsAs: 'line',
    maxParallel: 1,
    maxWaiting: MAX_WAITING,
    run: (messages) => this.storeMessages(messages),
  });

  readonly #handlers = new Map<DeviceEventType, StoredEventHandler>();

  constructor(
    private readonly repository: HistoryRepository,
    private readonly transactions: Transactions,
    private readonly events: EventLog,
    private readonly presence: PresenceService,
    private readonly publisher: DevicePublisher,
    private readonly clock: Clock,
    private readonly quota: EventQuota,
    private readonly refusals: RejectedMessages,
  ) {}

  /**
   * Registers a handler of the events of one type, called inside the transaction that stores them, those of one device in
   * their order. Call it in `onModuleInit`.
   */
  onStored<T extends DeviceEventType>(type: T, handler: StoredEventHandler<T>): void {
    this.#handlers.set(type, handler as unknown as StoredEventHandler);
  }

  onModuleInit(): void {
    this.presence.onUptimeFell((fallen) => this.repository.forgetStart(fallen));
  }

  /**
   * Takes the events of one message. They are stored without gaps, each once; a receipt tells the device how far. Over MQTT it
   * is published. Resolves when they are stored, or left to be sent again.
   * @returns the receipt; undefined where nothing of the message is stored
   * @throws InvalidEventDataError, TooManyBootsError: then none of them is taken
   */
  async ingest(
    deviceId: string,
    messages: readonly ReceivedEvent[],
    link: LinkKind = 'mqtt',
  ): Promise<Receipt | undefined> {
    this.quota.assertBoots(deviceId, messages);
    await this.presence.births.recorded(deviceId);
    const giveUpAt = this.clock.monotonic() + PATIENCE_MS;
    const correlationId = requestContext()?.requestId;
    const origin = { deviceId, link, ...(correlationId === undefined ? {} : { correlationId }) };
    const read = messages.map((message, index) => toIncoming(origin, message, index));
    for (const member of read.flatMap(({ dropped }) => dropped)) {
      this.refusals.reading(deviceTopic(deviceId, 'events'), member);
    }
    return this.submit(
      read.map(({ event }) => event),
      giveUpAt,
    );
  }

  /** How far the boots of these events are stored, each once; 0 for one of which nothing is. */
  async listReceipts(deviceId: string, events: readonly ReceivedEvent[]): Promise<Omit<Receipt, 'deviceId'>[]> {
    const boots = [...new Set(events.map(({ boot }) => boot))];
    const stored = await this.repository.listReceipts(deviceId, boots);
    return boots.map((boot) => ({ boot, seq: stored.get(boot) ?? 0 }));
  }

  private async submit(events: Events, giveUpAt: number): Promise<Receipt | undefined> {
    const mayWait = this.clock.monotonic() < giveUpAt;
    const { left, receipt } = await this.#batches.submit(events.map((event) => ({ ...event, mayWait })));
    if (left.length > 0 && mayWait) {
      await delay(LOOK_EVERY_MS);
      return (await this.submit(left, giveUpAt)) ?? receipt;
    }
    return receipt;
  }

  private async storeMessages(messages: readonly Events[]): Promise<Ingested[]> {
    const { receipts, left } = await this.storeOrSplit(messages.flat());
    const byBoot = new Map(receipts.map((receipt) => [keyOf(receipt), receipt]));
    const published = new Set(messages.flatMap((events) => events.filter(({ link }) => link === 'mqtt').map(keyOf)));
    // Only what is committed. A lost receipt is published again when the device repeats itself.
    for (const { deviceId, boot, seq } of receipts.filter((receipt) => published.has(keyOf(receipt)))) {
      inBackground(() => this.publisher.publish(deviceId, 'receipts', { boot, seq }));
    }
    const isLeft = new Set(left);
    return messages.map((events) => ({
      left: events.filter((event) => isLeft.has(event)),
      receipt: events[0] && byBoot.get(keyOf(events[0])),
    }));
  }

  private async storeOrSplit(events: Events): Promise<Stored> {
    try {
      return await this.store(events);
    } catch {
      // Whose fault it is shows when each is tried by itself.
      return this.storeByBoot(events);
    }
  }

  /** Stores what continues the sequences, in one transaction. */
  private store(batch: Events): Promise<Stored> {
    return this.transactions.independently(async () => {
      const boots = groupByBoot(batch);
      const rows = await this.resumed(
        await this.repository.lockReceipts([...boots.values()].map((boot) => this.arrived(boot))),
        (row) => boots.get(keyOf(row))?.events ?? [],
      );
      this.refuseWithoutToken(boots, rows);
      const steps = this.quota.fit(
        rows.map((row) => {
          const events = boots.get(keyOf(row))?.events ?? [];
          return { row, ...(awaitsBirth(row, events) ? waitAll(row.seq, events) : advance(row.seq, events)) };
        }),
      );
      const restarted = rows.filter(({ isNew }) => isNew).map(({ deviceId }) => deviceId);
      if (restarted.length > 0) {
        await this.repository.forgetEarlierBoots([...new Set(restarted)]);
      }
      await this.storeSteps(steps.filter(({ accepted }) => accepted.length > 0));
      return {
        receipts: steps
          .filter(({ row, seq }) => boots.get(keyOf(row))?.events.some((event) => event.seq <= seq))
          .map(({ row, seq }) => ({ ...bootOf(row), seq })),
        left: steps.flatMap(({ waiting }) => waiting),
      };
    });
  }

  /** What was left out when the receipts were read. */
  private refuseWithoutToken(
    boots: ReadonlyMap<string, DeviceBoot & { events: Events }>,
    rows: readonly ReceiptRow[],
  ): void {
    const known = new Set(rows.map(keyOf));
    const refused = [...boots].flatMap(([key, boot]) => (known.has(key) ? [] : [boot]));
    refused.forEach(({ deviceId, events }) => {
      this.transactions.afterCommit(() => {
        this.refusals.message(NO_VALID_TOKEN, deviceTopic(deviceId, 'events'), { events: events.length });
      });
    });
  }

  /** The rows, with the sequences that go on above their receipts because later ones are lost. */
  private async resumed(rows: readonly ReceiptRow[], eventsOf: (row: ReceiptRow) => Events): Promise<ReceiptRow[]> {
    const resumed = rows.map((row) => {
      const events = eventsOf(row);
      return awaitsBirth(row, events) ? row : resume(row, events);
    });
    const changed = resumed.filter((row, index) => row !== rows[index]);
    if (changed.length > 0) {
      await this.repository.resumeReceipts(changed);
    }
    return resumed;
  }

  private arrived({ deviceId, boot }: DeviceBoot): ArrivedBoot {
    return { deviceId, boot, startedMsAgo: this.presence.births.startedMsAgo(deviceId, boot) };
  }

  private async storeSteps(steps: readonly Step<IncomingEvent>[]): Promise<void> {
    if (steps.length === 0) {
      return;
    }
    await this.repository.advanceReceipts(steps.map(({ row, seq }) => ({ ...bootOf(row), seq, from: row.seq })));
    await this.events.append(steps.flatMap(({ row, accepted }) => accepted.map((event) => toNewEvent(event, row))));
    const present = steps.flatMap(({ row, accepted }) => accepted.filter((event) => happenedToThisOwner(event, row)));
    await this.presence.recordStates(present.flatMap(toReports));
    await this.callHandlers(present);
    // Last: other devices of the owner wait for its row until the end of this transaction.
    await this.quota.count(steps);
  }

  private async callHandlers(accepted: Events): Promise<void> {
    for (const [type, handler] of this.#handlers) {
      const events = accepted.filter((event) => event.type === type);
      if (events.length > 0) {
        await handler(events);
      }
    }
  }

  /** Each boot of each device in a transaction of its own, so that a bad event does not block other devices. */
  private async storeByBoot(batch: Events): Promise<Stored> {
    const outcomes: Stored[] = [];
    for (const { deviceId, events } of groupByBoot(batch).values()) {
      try {
        outcomes.push(await this.store(events));
      } catch (error) {
        this.refusals.message('not_stored', deviceTopic(deviceId, 'events'), { err: error, events: events.length });
      }
    }
    return {
      receipts: outcomes.flatMap(({ receipts }) => receipts),
      left: outcomes.flatMap(({ left }) => left),
    };
  }
}
