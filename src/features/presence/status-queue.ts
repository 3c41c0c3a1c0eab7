import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { BrokerClientFactory } from '../../platform/mqtt/broker-client-factory.js';
import { DeviceLimiter } from '../../platform/mqtt/limits/device-limiter.js';
import { LINK_KINDS, type LinkKind } from '../../contracts/devices.js';
import { deviceTopic } from '../../contracts/mqtt.js';
import { RejectedMessages } from '../../platform/mqtt/rejected-messages.js';
import { Clock } from '../../shared/clock.js';
import { within } from '../../shared/deadline.js';
import { TooManyBootsError } from './presence.errors.js';
import { PresenceService } from './presence.service.js';
import { MAX_WAITED_MS } from './domain/uptime.js';
import type { Birth, Will } from './presence.types.js';

/** Links with a status that waits; that of a further one is dropped, and its next heartbeat brings it online. */
const MAX_LINKS = 10_000;
/** How long the end of the process waits for what waits here. */
const END_WITHIN_MS = 5_000;

/** What a device says of a link on its `status` topic, or by the birth and the end of a socket. */
export type StatusReport =
  { readonly online: true; readonly birth: Birth } | ({ readonly online: false } & Omit<Will, 'ageMs'>);

type HeldStatus = StatusReport & {
  readonly deviceId: string;
  readonly link: LinkKind;
  /** On the monotonic clock. */
  readonly receivedAt: number;
};

/**
 * Births and wills of each link of a device, one at a time and no faster than a device reconnects. Of those that wait only the
 * newest counts: a birth replaces all before it, and a will stays with the birth that it follows. At the end of the process
 * what waits is recorded at once.
 */
@Injectable()
export class StatusQueue implements BeforeApplicationShutdown {
  /** What waits, of each link of which a status is being recorded. */
  readonly #waiting = new Map<string, readonly HeldStatus[]>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #end = new AbortController();

  constructor(
    private readonly presence: PresenceService,
    private readonly limiter: DeviceLimiter,
    private readonly refusals: RejectedMessages,
    private readonly clock: Clock,
    private readonly access: BrokerClientFactory,
  ) {
    presence.births.onFindHeld((deviceId) =>
      LINK_KINDS.flatMap((link) => this.#waiting.get(keyOfLink(deviceId, link)) ?? []).find((status) => status.online),
    );
  }

  /**
   * Records a status at once, or later when there were many. Resolves when it is recorded or waits.
   * @throws TooManyBootsError
   */
  async report(deviceId: string, link: LinkKind, report: StatusReport): Promise<void> {
    if (report.online && !this.limiter.admitsBoot(deviceId, report.birth.boot)) {
      throw new TooManyBootsError();
    }
    if ((waitedMsOf(report) ?? 0) > MAX_WAITED_MS) {
      this.refuse(deviceId, 'waited_too_long');
      return;
    }
    const key = keyOfLink(deviceId, link);
    const status = { ...report, deviceId, link, receivedAt: this.clock.monotonic() };
    const waiting = this.#waiting.get(key);
    if (waiting) {
      this.replace(key, waiting, status);
    } else if (this.pauseMs(deviceId) === 0) {
      this.#waiting.set(key, []);
      await this.record(status).finally(() => {
        this.recordSoon(key, deviceId);
      });
    } else if (this.#waiting.size < MAX_LINKS) {
      this.#waiting.set(key, [status]);
      this.recordSoon(key, deviceId);
    } else {
      this.refuse(deviceId, 'too_many_statuses');
    }
  }

  /** Before the line is closed, and long before the database. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#end.abort();
    await within(END_WITHIN_MS, Promise.all(this.#underWay)).catch(() => undefined);
  }

  private replace(key: string, waiting: readonly HeldStatus[], status: HeldStatus): void {
    const births = waiting.filter(({ online }) => online);
    const [birth, will] = [births[0], waiting.find(({ online }) => !online)];
    const isOfEarlierBoot =
      !status.online && birth !== undefined && will !== undefined && bootOf(will) === bootOf(birth);
    const next =
      isOfEarlierBoot && bootOf(status) !== bootOf(birth) ? waiting : [...(status.online ? [] : births), status];
    if (next.length <= waiting.length) {
      this.refuse(status.deviceId, 'too_many_statuses');
    }
    this.#waiting.set(key, next);
  }

  private recordSoon(key: string, deviceId: string): void {
    const underWay = this.recordWaiting(key, deviceId).finally(() => this.#underWay.delete(underWay));
    this.#underWay.add(underWay);
  }

  private async recordWaiting(key: string, deviceId: string): Promise<void> {
    let since = this.clock.monotonic();
    while ((this.#waiting.get(key) ?? []).length > 0) {
      await this.pause(deviceId);
      const next = this.#waiting.get(key) ?? [];
      this.#waiting.set(key, []);
      try {
        for (const status of next) {
          await this.record(status, since);
          since = this.clock.monotonic();
        }
      } catch (error) {
        this.refuse(deviceId, 'internal_error', error);
      }
    }
    this.#waiting.delete(key);
  }

  private async pause(deviceId: string): Promise<void> {
    const pauseMs = this.pauseMs(deviceId);
    if (pauseMs > 0) {
      await delay(pauseMs, undefined, { ref: false, signal: this.#end.signal }).catch(() => undefined);
    }
  }

  private pauseMs(deviceId: string): number {
    return this.#end.signal.aborted ? 0 : this.limiter.statusPauseMs(deviceId);
  }

  /** What waited behind another status arrived after it: `since` is when that one was recorded. */
  private record(status: HeldStatus, since = 0): Promise<void> {
    const { deviceId, link } = status;
    this.limiter.countStatus(deviceId);
    const ageMs = this.clock.monotonic() - Math.max(status.receivedAt, since);
    if (status.online) {
      return this.presence.openLink(deviceId, link, { ...status.birth, ageMs });
    }
    const { boot, waitedMs = 0, bornMsAgo } = status;
    const born = bornMsAgo === undefined ? {} : { bornMsAgo: bornMsAgo + ageMs };
    const inOrder = link === 'mqtt' && !this.access.external;
    return this.presence.closeLink(deviceId, link, { boot, ageMs, waitedMs, inOrder, ...born }, 'will');
  }

  private refuse(deviceId: string, code: string, err?: unknown): void {
    this.refusals.message(code, deviceTopic(deviceId, 'status'), err === undefined ? {} : { err });
  }
}

function waitedMsOf(status: StatusReport): number | undefined {
  return status.online ? status.birth.waitedMs : status.waitedMs;
}

function bootOf(status: StatusReport): string {
  return status.online ? status.birth.boot : status.boot;
}

function keyOfLink(deviceId: string, link: LinkKind): string {
  return `${deviceId}/${link}`;
}
