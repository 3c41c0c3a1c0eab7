import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DeviceLimiter } from '../../platform/mqtt/limits/device-limiter.js';
import { deviceTopic } from '../../contracts/mqtt.js';
import { RejectedMessages } from '../../platform/mqtt/rejected-messages.js';
import { Clock } from '../../shared/clock.js';
import { TooManyBootsError } from './presence.errors.js';
import { PresenceService } from './presence.service.js';
import type { Birth } from './presence.types.js';

/** Devices with a status that waits; that of a further one is dropped, and its next heartbeat brings it online. */
const MAX_DEVICES = 10_000;

/** What a device says on its `status` topic. */
export type StatusReport =
  { readonly online: true; readonly birth: Birth } | { readonly online: false; readonly boot: string };

type HeldStatus = StatusReport & {
  /** On the monotonic clock. */
  readonly receivedAt: number;
};

/**
 * Births and wills of each device, one at a time and no faster than a device reconnects. Of those that wait only the
 * newest counts: a birth replaces all before it, and a will stays with the birth that it follows.
 */
@Injectable()
export class StatusQueue {
  /** What waits, of each device of which a status is being recorded. */
  readonly #waiting = new Map<string, readonly HeldStatus[]>();

  constructor(
    private readonly presence: PresenceService,
    private readonly limiter: DeviceLimiter,
    private readonly refusals: RejectedMessages,
    private readonly clock: Clock,
  ) {}

  /**
   * Records a status at once, or later when there were many. Resolves when it is recorded or waits.
   * @throws TooManyBootsError
   */
  async report(deviceId: string, report: StatusReport): Promise<void> {
    if (report.online && !this.limiter.admitsBoot(deviceId, report.birth.boot)) {
      throw new TooManyBootsError();
    }
    const status = { ...report, receivedAt: this.clock.monotonic() };
    const waiting = this.#waiting.get(deviceId);
    if (waiting) {
      this.replace(deviceId, waiting, status);
    } else if (this.limiter.statusPauseMs(deviceId) === 0) {
      this.#waiting.set(deviceId, []);
      await this.record(deviceId, status).finally(() => {
        void this.recordWaiting(deviceId);
      });
    } else if (this.#waiting.size < MAX_DEVICES) {
      this.#waiting.set(deviceId, [status]);
      void this.recordWaiting(deviceId);
    } else {
      this.refuse(deviceId, 'too_many_statuses');
    }
  }

  private replace(deviceId: string, waiting: readonly HeldStatus[], status: HeldStatus): void {
    const kept = status.online ? [] : waiting.filter(({ online }) => online);
    if (kept.length < waiting.length) {
      this.refuse(deviceId, 'too_many_statuses');
    }
    this.#waiting.set(deviceId, [...kept, status]);
  }

  private async recordWaiting(deviceId: string): Promise<void> {
    while ((this.#waiting.get(deviceId) ?? []).length > 0) {
      const pauseMs = this.limiter.statusPauseMs(deviceId);
      if (pauseMs > 0) {
        await delay(pauseMs, undefined, { ref: false });
      }
      const next = this.#waiting.get(deviceId) ?? [];
      this.#waiting.set(deviceId, []);
      try {
        for (const status of next) {
          await this.record(deviceId, status);
        }
      } catch (error) {
        this.refuse(deviceId, 'internal_error', error);
      }
    }
    this.#waiting.delete(deviceId);
  }

  private record(deviceId: string, status: HeldStatus): Promise<void> {
    this.limiter.countStatus(deviceId);
    return status.online
      ? this.presence.openLink(deviceId, 'mqtt', {
          ...status.birth,
          ageMs: this.clock.monotonic() - status.receivedAt,
        })
      : this.presence.closeLink(deviceId, 'mqtt', status.boot, 'will');
  }

  private refuse(deviceId: string, code: string, err?: unknown): void {
    this.refusals.message(code, deviceTopic(deviceId, 'status'), err === undefined ? {} : { err });
  }
}
