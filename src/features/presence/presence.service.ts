import { Injectable } from '@nestjs/common';
import type { DeviceStatus, LinkKind } from '../../contracts/devices.js';
import type { Actor, EventSource, NewEvent } from '../../contracts/events.js';
import { EventLog } from '../../platform/events/event-log.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import type { DeviceConnectedHandler, LockStateHandler } from '../devices/devices.types.js';
import { DeviceHooks } from './device-hooks.js';
import { HeartbeatBuffer } from './heartbeat-buffer.js';
import { PresenceRepository } from './presence.repository.js';
import type { Birth, Heartbeat, HeldHeartbeat, LinkEnd, LockedDevice, SilentLink } from './presence.types.js';

interface About {
  deviceId: string;
  userId: string;
  version: number;
  source: EventSource;
  actor: Actor;
}

/** Who is there: links open with a birth and close with a will, by silence, or because the device started anew. */
@Injectable()
export class PresenceService {
  constructor(
    private readonly repository: PresenceRepository,
    private readonly transactions: Transactions,
    private readonly events: EventLog,
    private readonly hooks: DeviceHooks,
    private readonly heartbeats: HeartbeatBuffer,
  ) {
    heartbeats.onFlush((beats) => this.recordHeartbeats(beats));
  }

  /** Registers what happens when a device says where its bolt is. Call it in `onModuleInit`. */
  onLockStateReported(handler: LockStateHandler): void {
    this.hooks.onLockStateReported(handler);
  }

  /** Registers what happens when a device has come online. Call it in `onModuleInit`. */
  onConnected(handler: DeviceConnectedHandler): void {
    this.hooks.onConnected(handler);
  }

  /** A device says that it is there. A device that was deleted meanwhile is nobody. */
  birth(deviceId: string, link: LinkKind, birth: Birth): Promise<void> {
    return this.transactions.run(async () => {
      const device = await this.repository.lock(deviceId, link);
      if (device) {
        await this.open(deviceId, link, birth, device);
      }
    });
  }

  /**
   * A link ended. Only that start of the device can end it: the will of an earlier one arrives late and is ignored, as
   * is that of the connection before; a link that came back to life meanwhile is not silent.
   */
  farewell(deviceId: string, link: LinkKind, boot: string, reason: Exclude<LinkEnd, 'replaced'>): Promise<void> {
    return this.transactions.run(async () => {
      const device = await this.repository.lock(deviceId, link);
      const close = reason === 'silence' ? 'closeSilent' : 'closeOnWill';
      if (!device || !(await this.repository[close](deviceId, link, boot))) {
        return;
      }
      const version = await this.repository.markOffline(deviceId);
      const about: About = {
        deviceId,
        userId: device.ownerId,
        version: version ?? device.version,
        ...(reason === 'silence'
          ? { source: 'system', actor: 'system' }
          : { source: link, actor: `device:${deviceId}` }),
      };
      await this.events.append([
        { type: 'device_disconnected', payload: { link, boot, reason }, ...about },
        ...(version === null ? [] : [statusChanged('offline', device.status, about)]),
      ]);
    });
  }

  /** A device says that it is still there. Written within a second or so, together with those of other devices. */
  heartbeat(deviceId: string, link: LinkKind, heartbeat: Heartbeat): void {
    this.heartbeats.hold(deviceId, link, heartbeat);
  }

  /** Closes links that went silent. @returns whether there may be more. */
  async closeSilentLinks(limit: number): Promise<boolean> {
    const silent: SilentLink[] = await this.repository.listSilentLinks(limit);
    for (const { deviceId, link, boot } of silent) {
      await this.farewell(deviceId, link, boot, 'silence');
    }
    return silent.length === limit;
  }

  /** Gives up devices that were silent for a day. @returns whether there may be more. */
  markInactive(limit: number): Promise<boolean> {
    return this.transactions.run(async () => {
      const devices = await this.repository.markInactive(limit);
      await this.events.append(
        devices.flatMap(({ deviceId, ownerId, previous, lastSeenAt, version }): NewEvent[] => {
          const about: About = { deviceId, userId: ownerId, version, source: 'system', actor: 'system' };
          return [
            { type: 'device_inactive', payload: { lastSeenAt: lastSeenAt.toISOString() }, ...about },
            statusChanged('inactive', previous, about),
          ];
        }),
      );
      return devices.length === limit;
    });
  }

  private async recordHeartbeats(beats: readonly HeldHeartbeat[]): Promise<void> {
    const linked = await this.transactions.run(() => this.repository.recordHeartbeats(beats));
    for (const beat of beats.filter(({ deviceId }) => !linked.has(deviceId))) {
      await this.reopen(beat);
    }
  }

  /**
   * A heartbeat without a link: its birth passed us by, while the broker or this process was away. Another start's
   * heartbeat counts only when the known one has been quiet; otherwise it is an old one that took its time.
   */
  private reopen({ deviceId, link, boot, uptimeMs }: HeldHeartbeat): Promise<void> {
    return this.transactions.run(async () => {
      const device = await this.repository.lock(deviceId, link);
      if (device && (device.link === null || device.link.quiet)) {
        await this.open(deviceId, link, { boot, uptimeMs }, device);
      }
    });
  }

  private async open(deviceId: string, link: LinkKind, birth: Birth, device: LockedDevice): Promise<void> {
    const version = await this.repository.recordBirth(deviceId, birth);
    await this.repository.openLink(deviceId, link, birth.boot);
    const about: About = { deviceId, userId: device.ownerId, version, source: link, actor: `device:${deviceId}` };
    await this.events.append(storyOf(link, birth, device, about));
    const { boot, lockState } = birth;
    if (lockState !== undefined) {
      await this.hooks.lockStateReported({ deviceId, boot, lockState });
    }
    this.transactions.afterCommit(() => {
      this.hooks.connected(deviceId);
    });
  }
}

function storyOf(link: LinkKind, birth: Birth, before: LockedDevice, about: About): NewEvent[] {
  const { boot, firmwareVersion } = birth;
  const events: NewEvent[] = [];
  if (before.link !== null && before.link.boot !== boot) {
    events.push({
      type: 'device_disconnected',
      payload: { link, boot: before.link.boot, reason: 'replaced' },
      ...about,
    });
  }
  if (before.link?.boot !== boot) {
    const payload = { link, boot, ...(firmwareVersion === undefined ? {} : { firmwareVersion }) };
    events.push({ type: 'device_connected', payload, ...about });
  }
  if (before.status !== 'online' && before.status !== 'maintenance') {
    events.push(statusChanged('online', before.status, about));
  }
  return events;
}

function statusChanged(status: DeviceStatus, previous: DeviceStatus, about: About): NewEvent {
  return { type: 'status_changed', payload: { status, previous }, ...about };
}
