import { Injectable } from '@nestjs/common';
import { LINK_KINDS, type LinkKind } from '../../contracts/devices.js';
import { deviceTopic, HEARTBEAT_INTERVAL_MS } from '../../contracts/mqtt.js';
import { newContext, runInContext } from '../../platform/context/request-context.js';
import { CutoffRegistry } from '../../platform/mqtt/limits/cutoff-registry.js';
import { NO_VALID_TOKEN, RejectedMessages } from '../../platform/mqtt/rejected-messages.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { isOvertaken, latestByBoot, mayOpen } from './domain/reports.js';
import { MAX_WAITED_MS, UPTIME_FELL, UPTIME_UNKNOWN } from './domain/uptime.js';
import { BirthRegistry } from './birth-registry.js';
import { DeviceEventsService } from './events/device-events.service.js';
import { HeartbeatBuffer } from './heartbeat-buffer.js';
import { eventsOfBirth, eventsOfEnd, type PresenceEventBase } from './events/link-events.js';
import { PresenceRepository } from './presence.repository.js';
import { ReportsRepository } from './reports.repository.js';
import type {
  Birth,
  DeviceConnectedHandler,
  FallenBoot,
  Heartbeat,
  HeldHeartbeat,
  LinkEnd,
  LockedDevice,
  LockStateHandler,
  LockStateReport,
  StateReport,
  UptimeFallHandler,
  Will,
} from './presence.types.js';
import { inBackground } from '../../platform/process/faults.js';

/**
 * Which devices are connected, and what they report of their state. A link opens with a birth and closes with a will,
 * by silence, or because the device has restarted or was cut.
 */
@Injectable()
export class PresenceService {
  readonly #lockStateHandlers: LockStateHandler[] = [];
  readonly #connectedHandlers: DeviceConnectedHandler[] = [];
  readonly #uptimeFallHandlers: UptimeFallHandler[] = [];

  constructor(
    private readonly repository: PresenceRepository,
    private readonly reports: ReportsRepository,
    private readonly transactions: Transactions,
    private readonly deviceEvents: DeviceEventsService,
    private readonly heartbeats: HeartbeatBuffer,
    private readonly refusals: RejectedMessages,
    private readonly cutoffs: CutoffRegistry,
    /** What follows a birth may have arrived before it is recorded. */
    readonly births: BirthRegistry,
  ) {
    heartbeats.onFlush(
      (beats) => this.writeHeartbeats(beats),
      (beat) => this.reopenLink(beat),
    );
    cutoffs.onCut(({ deviceId }) => {
      LINK_KINDS.forEach((link) => {
        inBackground(() => this.closeOnCut(deviceId, link));
      });
    });
  }

  /** Registers a handler of lock state reports. Call it in `onModuleInit`. */
  onLockStateReported(handler: LockStateHandler): void {
    this.#lockStateHandlers.push(handler);
  }

  /** Registers a handler that is called when a device has come online. Call it in `onModuleInit`. */
  onConnected(handler: DeviceConnectedHandler): void {
    this.#connectedHandlers.push(handler);
  }

  /** Registers a handler that is called when the uptime of a boot has fallen. Call it in `onModuleInit`. */
  onUptimeFell(handler: UptimeFallHandler): void {
    this.#uptimeFallHandlers.push(handler);
  }

  /**
   * A device reports that it is online. The birth of a device that was deleted, revoked or cut is ignored, and so is one
   * that waited while another boot was heard of.
   */
  openLink(deviceId: string, link: LinkKind, birth: Birth): Promise<void> {
    const recorded = this.transactions.run(async () => {
      const device = await this.repository.lock(deviceId, link);
      if (this.admits(deviceId, device, 'status')) {
        await this.openLocked(deviceId, link, birth, device);
      }
    });
    this.births.recording(deviceId, recorded);
    return recorded;
  }

  /**
   * A link ended. Only the boot that opened the link can end it: the late will of an earlier boot is ignored, as is the
   * will of an earlier connection. A link that has received something since does not count as silent.
   */
  closeLink(deviceId: string, link: LinkKind, will: Will, reason: 'will' | 'silence'): Promise<void> {
    return this.transactions.run(async () => {
      const device = await this.repository.lock(deviceId, link);
      const close = reason === 'silence' ? 'closeSilent' : 'closeOnWill';
      if (device && (await this.repository[close](deviceId, link, will))) {
        await this.closed(deviceId, device, { link, boot: will.boot, reason });
      }
    });
  }

  /** A device reports that it is still online. Written within about a second, together with other heartbeats. */
  heartbeat(deviceId: string, link: LinkKind, heartbeat: Heartbeat): void {
    if ((heartbeat.waitedMs ?? 0) > MAX_WAITED_MS) {
      this.refusals.message('waited_too_long', deviceTopic(deviceId, 'heartbeat'));
    } else {
      this.heartbeats.hold(deviceId, link, heartbeat);
    }
  }

  /**
   * Records reports as part of the surrounding transaction, those of one device in their order, and calls the handlers
   * of lock states. A report of an earlier boot does not change the state of the device.
   */
  async recordStates(reports: readonly StateReport[]): Promise<void> {
    await this.reports.recordStates([...latestByBoot(reports).values()]);
    // In the order of device ids, like every transaction that locks rows of several devices: else two could deadlock.
    const byDevice = [...reports].sort((a, b) => (a.deviceId < b.deviceId ? -1 : Number(a.deviceId > b.deviceId)));
    for (const { deviceId, boot, link, lockState, commandId } of byDevice) {
      if (lockState !== undefined) {
        await this.lockStateReported({
          deviceId,
          boot,
          link,
          lockState,
          ...(commandId === undefined ? {} : { commandId }),
        });
      }
    }
  }

  /** Closes silent links. @returns whether there may be more. */
  async closeSilentLinks(limit: number): Promise<boolean> {
    const { silent, more } = await this.repository.findSilentLinks(limit);
    for (const { deviceId, link, boot } of silent) {
      await this.closeLink(deviceId, link, { boot }, 'silence');
    }
    return more;
  }

  /** @returns those without a link */
  private async writeHeartbeats(beats: readonly HeldHeartbeat[]): Promise<readonly HeldHeartbeat[]> {
    const { linked, written } = await this.transactions.run(() => this.reports.recordHeartbeats(beats));
    this.heartbeats.announce(beats, written);
    await this.uptimesFell(written.filter(({ fell }) => fell));
    return beats.filter(({ deviceId, link }) => !linked.has(`${deviceId}/${link}`));
  }

  /**
   * A heartbeat without a link: its birth was lost while the broker or this process was down.
   * @returns whether it opened the link
   */
  private async reopenLink({ deviceId, link, ...beat }: HeldHeartbeat): Promise<boolean> {
    const reopen = async (): Promise<boolean> => {
      const device = await this.repository.lock(deviceId, link);
      if (!this.admits(deviceId, device, 'heartbeat') || !mayOpen(beat.boot, device)) {
        return false;
      }
      await this.openLocked(deviceId, link, { ...beat, isHeartbeat: true }, device);
      return true;
    };
    return this.transactions.run(reopen).catch((error: unknown) => {
      this.failed(deviceId, error);
      return false;
    });
  }

  /** Whether a link of this device may open. No token of it may be valid any more, although its broker still passes it on. */
  private admits(
    deviceId: string,
    device: LockedDevice | null,
    channel: 'status' | 'heartbeat',
  ): device is LockedDevice {
    if (!device?.hasToken) {
      this.refusals.message(NO_VALID_TOKEN, deviceTopic(deviceId, channel));
      return false;
    }
    return !this.cutoffs.isCut(deviceId);
  }

  private async openLocked(deviceId: string, link: LinkKind, birth: Birth, device: LockedDevice): Promise<void> {
    if (isOvertaken(birth, device)) {
      await this.writeHeartbeats([{ deviceId, link, ageMs: 0, ...birth }]);
      return;
    }
    const recorded = await this.repository.recordBirth(deviceId, birth);
    if (!recorded) {
      return;
    }
    const { version, uptimeFell, uptimeUnknown, heartbeatIntervalMs } = recorded;
    await this.repository.openLink(deviceId, link, birth, heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS);
    const base: PresenceEventBase = {
      deviceId,
      userId: device.ownerId,
      version,
      source: link,
      actor: `device:${deviceId}`,
    };
    await this.deviceEvents.append(deviceId, device, eventsOfBirth(link, birth, device, base));
    const { boot, lockState } = birth;
    if (lockState !== undefined) {
      await this.lockStateReported({ deviceId, boot, link, lockState });
    }
    this.transactions.afterCommit(() => {
      if (uptimeFell) {
        inBackground(() => this.uptimesFell([{ deviceId, boot: birth.boot }]));
      }
      if (uptimeUnknown) {
        this.refusals.notice('uptime_unknown', deviceTopic(deviceId, 'status'), UPTIME_UNKNOWN);
      }
      this.connected(deviceId);
    });
  }

  /**
   * Of a cut device nothing is heard, the last will included: its commands wait from now on, and are not sent to it. What
   * it sent before may still be on its way here, and opens no link any more.
   */
  private async closeOnCut(deviceId: string, link: LinkKind): Promise<void> {
    const close = async (): Promise<void> => {
      const device = await this.repository.lock(deviceId, link);
      if (device?.link) {
        await this.repository.closeLink(deviceId, link);
        await this.closed(deviceId, device, { link, boot: device.link.boot, reason: 'cut_off' });
      }
    };
    try {
      // In our own name: it waits for no message of a device, and belongs to none.
      await runInContext(newContext('system', 'system'), () => this.transactions.independently(close));
    } catch (error) {
      this.failed(deviceId, error);
    }
  }

  private async closed(
    deviceId: string,
    device: LockedDevice,
    { link, boot, reason }: { link: LinkKind; boot: string; reason: LinkEnd },
  ): Promise<void> {
    if (device.otherLinks.length > 0) {
      return;
    }
    const version = await this.repository.markOffline(deviceId);
    const base: PresenceEventBase = {
      deviceId,
      userId: device.ownerId,
      version: version ?? device.version,
      ...(reason === 'will' ? { source: link, actor: `device:${deviceId}` } : { source: 'system', actor: 'system' }),
    };
    const ended = eventsOfEnd({ link, boot, reason }, version === null ? null : device.status, base);
    await this.deviceEvents.append(deviceId, device, ended);
  }

  /** After the transaction: a handler that fails does not affect the others. */
  private async uptimesFell(fallen: readonly FallenBoot[]): Promise<void> {
    for (const boot of fallen) {
      const topic = deviceTopic(boot.deviceId, 'status');
      this.refusals.notice('uptime_fell', topic, UPTIME_FELL);
      for (const handler of this.#uptimeFallHandlers) {
        await handler(boot).catch((error: unknown) => {
          this.refusals.message('internal_error', topic, { err: error });
        });
      }
    }
  }

  /** Inside the transaction: a handler that fails undoes the report. */
  private async lockStateReported(report: LockStateReport): Promise<void> {
    for (const handler of this.#lockStateHandlers) {
      await handler(report);
    }
  }

  /** After the transaction: a handler that fails does not affect the others. */
  private connected(deviceId: string): void {
    for (const handler of this.#connectedHandlers) {
      try {
        handler(deviceId);
      } catch (error) {
        this.failed(deviceId, error);
      }
    }
  }

  private failed(deviceId: string, error: unknown): void {
    this.refusals.message('internal_error', deviceTopic(deviceId, 'status'), { err: error });
  }
}
