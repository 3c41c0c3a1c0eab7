import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { outsideTransaction } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { within } from '../../shared/deadline.js';
import { DevicesService } from '../devices/devices.service.js';
import { CommandOutcomes } from './command-outcomes.js';
import { DispatchRepository } from './dispatch.repository.js';
import { OrderSender } from './order-sender.js';

/** Each takes a connection to PostgreSQL. */
const MAX_PARALLEL = 8;
/** Further ones are left to the sweep. */
const MAX_WAITING = 50_000;
const STOP_WITHIN_MS = 1_500;

/** Why a device is looked after, the strongest last. */
const REASONS = ['lane_free', 'queued', 'connected'] as const;
type Reason = (typeof REASONS)[number];

/**
 * Decides when a device is looked after: a command was queued, a lane became free, it came online, or the sweep found
 * something. One at a time per device, a few at a time in all. Any number of processes may do this at once.
 */
@Injectable()
export class CommandDispatcher implements OnModuleInit, BeforeApplicationShutdown {
  readonly #waiting = new Map<string, Reason>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #subscriptions: (() => void)[] = [];
  #stopped = false;

  constructor(
    private readonly sender: OrderSender,
    private readonly outcomes: CommandOutcomes,
    private readonly repository: DispatchRepository,
    private readonly devices: DevicesService,
    private readonly signals: Signals,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(CommandDispatcher.name);
  }

  onModuleInit(): void {
    this.devices.onConnected((deviceId) => {
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
    // What does not end in time is found by the sweep of another process, or of the next one.
    await within(STOP_WITHIN_MS, Promise.all(this.#running.values())).catch(() => undefined);
  }

  /** Looks after a device soon. */
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

  /** How many devices wait for their turn. */
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
    const run = outsideTransaction(() => this.look(deviceId, reason))
      .catch((error: unknown) => {
        // The sweep comes back to it.
        this.logger.error({ deviceId, err: error }, 'Dispatch failed');
      })
      .finally(() => {
        this.#running.delete(deviceId);
        this.startWaiting();
      });
    this.#running.set(deviceId, run);
  }

  private async look(deviceId: string, reason: Reason): Promise<void> {
    // Devices come and go, and commands settle, far more often than something is left to do.
    if (reason !== 'queued' && !(await this.repository.hasOpen(deviceId))) {
      return;
    }
    if (reason === 'connected') {
      await this.outcomes.settleOrphans(deviceId);
      await this.sender.resendToDevice(deviceId);
    }
    while (!this.#stopped && (await this.sender.sendNext(deviceId))) {
      // Until the lanes are busy, or nothing waits.
    }
  }
}
