import { describe, expect, it, jest } from '@jest/globals';
import type { DeviceEventMessage } from '../../contracts/mqtt.js';
import type { EventLog } from '../../platform/events/event-log.js';
import type { DevicePublisher } from '../../platform/mqtt/device-publisher.js';
import type { RejectedMessages } from '../../platform/mqtt/rejected-messages.js';
import type { Transactions } from '../../platform/prisma/transactions.js';
import type { Clock } from '../../shared/clock.js';
import { SystemClock } from '../../shared/system-clock.js';
import type { PresenceService } from '../presence/presence.service.js';
import { withinDailyLimits } from './domain/daily-quota.js';
import { EventIngestService } from './event-ingest.service.js';
import type { EventQuota } from './event-quota.js';
import type { HistoryRepository } from './history.repository.js';

const boot = 'a-boot-id';
const NOW = Date.parse('2026-11-20T18:00:00Z');
const HOUR = 3_600_000;
const event = (seq: number): DeviceEventMessage => ({ boot, seq, type: 'custom', data: { seq } });

/** The storage of one device, in memory. */
class FakeStorage {
  /** Events per transaction. */
  readonly batches: number[] = [];
  readonly stored: number[] = [];
  readonly times: (Date | undefined)[] = [];
  failing = false;
  /** What is known of the boot, the more often it is asked for. */
  known: { isBorn: boolean; bootStartedAt: Date | null }[] = [];

  readonly repository = {
    lockReceipts: () =>
      Promise.resolve([
        {
          deviceId: 'd',
          boot,
          seq: this.stored.length,
          ownerId: 'o',
          version: 1,
          now: new Date(NOW),
          ...(this.known.shift() ?? { isBorn: true, bootStartedAt: null }),
          adoptedAt: null,
          ownedSince: null,
          resumeFrom: null,
          resumeSeenAt: null,
        },
      ]),
    advanceReceipts: () => Promise.resolve(),
  } as unknown as HistoryRepository;

  readonly transactions = {
    independently: <T>(work: () => Promise<T>): Promise<T> =>
      this.failing ? Promise.reject(new Error('The database is away.')) : work(),
  } as unknown as Transactions;

  readonly log = {
    append: (events: readonly { payload: { seq: number }; occurredAt?: Date }[]) => {
      this.batches.push(events.length);
      this.times.push(...events.map(({ occurredAt }) => occurredAt));
      this.stored.push(...events.map(({ payload }) => payload.seq));
      return Promise.resolve();
    },
  } as unknown as EventLog;
}

function build(clock: Clock = new SystemClock()) {
  const storage = new FakeStorage();
  const publish = jest.fn<DevicePublisher['publish']>(() => Promise.resolve(true));
  const reading = jest.fn<RejectedMessages['reading']>();
  const refused = jest.fn<RejectedMessages['message']>();
  const quota = { left: Infinity };
  const steps: string[] = [];
  const count = (): Promise<void> => {
    steps.push('count');
    return Promise.resolve();
  };
  const fitting: EventQuota['fit'] = (steps) =>
    withinDailyLimits(
      steps.map((step) => ({ ...step, row: { ...step.row, deviceEventsToday: 0, ownerEventsToday: 0 } })),
      { ofDevice: quota.left, ofOwner: quota.left },
    );
  const service = new EventIngestService(
    storage.repository,
    storage.transactions,
    storage.log,
    {
      recordStates: () => {
        steps.push('states');
        return Promise.resolve();
      },
      births: { recorded: () => Promise.resolve(), startedMsAgo: () => undefined },
    } as unknown as PresenceService,
    { publish } as unknown as DevicePublisher,
    clock,
    { assertBoots: () => undefined, fit: fitting, count } as unknown as EventQuota,
    { message: refused, reading } as unknown as RejectedMessages,
  );
  return {
    storage,
    publish,
    reading,
    refused,
    quota,
    steps,
    ingest: (...events: DeviceEventMessage[]) => service.ingest('d', events),
  };
}

describe('EventIngestService', () => {
  it('stores the messages of one turn of the event loop in one batch', async () => {
    const { storage, ingest } = build();
    await Promise.all([1, 2, 3].map((seq) => ingest(event(seq))));
    expect(storage.batches).toEqual([3]);
  });

  it('counts last, since others of the owner wait from then on', async () => {
    const { steps, ingest } = build();
    await ingest(event(1));
    expect(steps).toEqual(['states', 'count']);
  });

  it('limits a batch to 500 events', async () => {
    const { storage, ingest } = build();
    const all = Array.from({ length: 1_200 }, (_, index) => event(index + 1));
    await Promise.all(Array.from({ length: 12 }, (_, index) => ingest(...all.slice(index * 100, (index + 1) * 100))));
    expect(storage.batches).toEqual([500, 500, 200]);
    expect(storage.stored).toHaveLength(1_200);
  });

  it('waits a moment for an event that was overtaken', async () => {
    const { storage, ingest } = build();
    const late = ingest(event(2));
    const first = new Promise((resolve) => setImmediate(() => void ingest(event(1)).then(resolve)));
    await Promise.all([late, first]);
    expect(storage.stored).toEqual([1, 2]);
  });

  describe('gives the first events of a boot their time', () => {
    const unborn = { isBorn: false, bootStartedAt: null };
    const born = { isBorn: true, bootStartedAt: new Date(NOW - 5 * HOUR) };
    const timed: DeviceEventMessage = { ...event(1), uptimeMs: HOUR };
    /** It stands still for so many looks, and then runs out. */
    const patientFor = (looks: number): Clock => {
      let left = looks;
      return { now: () => NOW, monotonic: () => (left-- >= 0 ? 0 : 10_000) };
    };

    it('when their birth, which another process has, is recorded a moment later', async () => {
      const { storage, publish, ingest } = build(patientFor(9));
      storage.known = [unborn, unborn, born];
      await ingest(timed, event(2));
      expect(storage.times).toEqual([new Date(NOW - 4 * HOUR), undefined]);
      expect(publish.mock.calls).toEqual([['d', 'receipts', { boot, seq: 2 }]]);
    });

    it('unless it does not come: then they are stored without one', async () => {
      const { storage, ingest } = build(patientFor(2));
      storage.known = [unborn, unborn, unborn, unborn];
      await ingest(timed);
      expect(storage.times).toEqual([undefined]);
      expect(storage.known).toHaveLength(1);
    });

    it.each([
      ['the boot is known, and its start is not', { isBorn: true, bootStartedAt: null }, timed],
      ['none has an uptime', unborn, event(1)],
    ])('and does not wait when %s', async (_why, known, message) => {
      const { storage, ingest } = build(patientFor(9));
      storage.known = [known, born];
      await ingest(message);
      expect(storage.times).toEqual([undefined]);
      expect(storage.known).toHaveLength(1);
    });
  });

  it('leaves events beyond a gap that stays, and publishes how far it got', async () => {
    const { storage, publish, ingest } = build();
    await ingest(event(1), event(3));
    expect(storage.stored).toEqual([1]);
    expect(publish).toHaveBeenLastCalledWith('d', 'receipts', { boot, seq: 1 });
  });

  it('publishes a receipt for a repeat, and none for what waits for an earlier event or for the next day', async () => {
    const { publish, quota, ingest } = build();
    await ingest(event(1));
    await ingest(event(1));
    expect(publish).toHaveBeenCalledTimes(2);
    await ingest(event(3));
    quota.left = 0;
    await ingest(event(2));
    expect(publish).toHaveBeenCalledTimes(2);
  });

  it('publishes no receipt for what was not stored, and stores the next events', async () => {
    const { storage, publish, refused, ingest } = build();
    storage.failing = true;
    await ingest(event(1));
    expect(publish).not.toHaveBeenCalled();
    expect(refused.mock.calls.map(([code]) => code)).toEqual(['not_stored']);
    storage.failing = false;
    await ingest(event(1));
    expect(storage.stored).toEqual([1]);
  });

  it('refuses a message with a strict member that is no good, and stores nothing of it', async () => {
    const { storage, ingest } = build();
    const faulty = { boot, seq: 2, type: 'door_status_changed', data: { commandId: 'x' } } as const;
    await expect(ingest(event(1), faulty)).rejects.toMatchObject({
      code: 'invalid_event_data',
      errors: [{ pointer: '/events/1/data/commandId' }],
    });
    expect(storage.batches).toEqual([]);
  });
});
