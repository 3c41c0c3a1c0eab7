import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { MicroBatcher } from '../../../platform/batching/micro-batcher.js';
import { LimitedLogger } from '../../../platform/logging/limited-logger.js';
import { outsideTransaction } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { within } from '../../../shared/deadline.js';
import { PresenceService } from '../../presence/presence.service.js';
import { AcknowledgementService } from '../acknowledgement/acknowledgement.service.js';
import { DispatchRepository } from './dispatch.repository.js';
import { DispatchService } from './dispatch.service.js';

/** Devices dispatched to in parallel. Their queries of one moment are batched. */
const MAX_PARALLEL = 200;
/** Devices that came online and are caught up with in parallel, as far as dispatch has connections to PostgreSQL. */
const MAX_RETURNING = 8;
/** Devices that wait at most; the sweep finds further ones. */
const MAX_WAITING = 50_000;
const STOP_WITHIN_MS = 1_500;
/** After a failure, until a device that came online is caught up with again. */
const AGAIN_AFTER_MS = 5_000;

/** Why a device is dispatched to, the strongest reason last. */
const REASONS = ['lane_free', 'queued', 'connected'] as const;
type Reason = (typeof REASONS)[number];

/**
 * Decides when a device is dispatched to: a command was queued, a lane became free, it came online, or the sweep found
 * something. It works on a device once at a time, and on many devices in parallel. Any number of processes may run it.
 * It is a scheduler, not a batcher: each device is a run of its own that may take many steps.
 */
@Injectable()
export class DispatchScheduler implements OnModuleInit, BeforeApplicationShutdown {
  readonly #waiting = new Map<string, Reason>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Map<string, NodeJS.Timeout>();
  readonly #subscriptions: (() => void)[] = [];
  readonly #openChecks = new MicroBatcher<string, boolean>({
    maxBatch: MAX_PARALLEL,
    connectsAs: 'dispatch',
    maxParallel: 1,
    maxWaiting: MAX_PARALLEL,
    run: (deviceIds) => this.haveOpen(deviceIds),
  });
  readonly #catchUps = new MicroBatcher<string, undefined>({
    maxBatch: 1,
    connectsAs: 'dispatch',
    maxParallel: MAX_RETURNING,
    maxWaiting: MAX_PARALLEL,
    run: (deviceIds) => this.catchUp(deviceIds),
  });
  readonly #log: LimitedLogger;
  #stopped = false;

  constructor(
    private readonly dispatch: DispatchService,
    private readonly acknowledgements: AcknowledgementService,
    private readonly repository: DispatchRepository,
    private readonly presence: PresenceService,
    private readonly signals: SignalBus,
    logger: PinoLogger,
  ) {
    logger.setContext(DispatchScheduler.name);
    this.#log = new LimitedLogger(logger);
  }

  onModuleInit(): void {
    this.presence.onConnected((deviceId) => {
      this.wake(deviceId, 'connected');
    });
    this.#subscriptions.push(
      this.signals.on('command_queued', ({ deviceId }) => {
        this.wake(deviceId, 'queued');
      }),
      this.signals.on('command_settled', ({ deviceId }) => {
        this.wake(deviceId, 'lane_free');
      }),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    this.#subscriptions.forEach((end) => {
      end();
    });
    this.#waiting.clear();
    this.#again.forEach((timer) => {
      clearTimeout(timer);
    });
    // The sweep of another process, or of the next one, finds what does not end in time.
    await within(STOP_WITHIN_MS, Promise.all(this.#running.values())).catch(() => undefined);
  }

  /** Schedules a device. */
  wake(deviceId: string, reason: Reason = 'queued'): void {
    const known = this.#waiting.get(deviceId);
    if (this.#stopped || (known === undefined && this.#waiting.size >= MAX_WAITING)) {
      return;
    }
    if (known === undefined || REASONS.indexOf(known) < REASONS.indexOf(reason)) {
      this.#waiting.set(deviceId, reason);
    }
    this.startWaiting();
  }

  /** Devices that wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  private startWaiting(): void {
    for (const [deviceId, reason] of this.#waiting) {
      if (this.#running.size >= MAX_PARALLEL) {
        return;
      }
      if (!this.#running.has(deviceId)) {
        this.#waiting.delete(deviceId);
        this.start(deviceId, reason);
      }
    }
  }

  private start(deviceId: string, reason: Reason): void {
    const run = outsideTransaction(() => this.process(deviceId, reason))
      .catch((error: unknown) => {
        this.#log.error('dispatch_failed', { deviceId, err: error }, 'Dispatch failed');
        // The sweep finds what is queued, but not what the device has to be caught up with.
        if (reason === 'connected') {
          this.catchUpLater(deviceId);
        }
      })
      .finally(() => {
        this.#running.delete(deviceId);
        this.startWaiting();
      });
    this.#running.set(deviceId, run);
  }

  private catchUpLater(deviceId: string): void {
    if (this.#stopped || this.#again.has(deviceId) || this.#again.size >= MAX_WAITING) {
      return;
    }
    const timer = setTimeout(() => {
      this.#again.delete(deviceId);
      this.wake(deviceId, 'connected');
    }, AGAIN_AFTER_MS).unref();
    this.#again.set(deviceId, timer);
  }

  private async process(deviceId: string, reason: Reason): Promise<void> {
    // After a connect or a settled command, mostly nothing is left to do: one batched query finds out.
    if (reason !== 'queued' && !(await this.#openChecks.submit(deviceId))) {
      return;
    }
    if (reason === 'connected') {
      await this.#catchUps.submit(deviceId);
    }
    while (!this.#stopped && (await this.dispatch.sendNext(deviceId))) {
      // Until the lanes are busy, or nothing waits.
    }
  }

  private async haveOpen(deviceIds: readonly string[]): Promise<boolean[]> {
    const open = new Set(await this.repository.listOpen(deviceIds));
    return deviceIds.map((deviceId) => open.has(deviceId));
  }

  private async catchUp(deviceIds: readonly string[]): Promise<undefined[]> {
    for (const deviceId of deviceIds) {
      await this.acknowledgements.settleEarlierBoots(deviceId);
      await this.dispatch.resendToDevice(deviceId);
    }
    return deviceIds.map(() => undefined);
  }
}
