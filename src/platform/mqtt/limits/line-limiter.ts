import { Injectable } from '@nestjs/common';
import type { UplinkChannel } from '../../../contracts/mqtt.js';
import { BrokerClientFactory } from '../broker-client-factory.js';
import { RejectedMessages } from '../rejected-messages.js';
import { CutoffRegistry } from './cutoff-registry.js';
import { DeviceLimiter, type LimitCode } from './device-limiter.js';
import { DeviceMessageQueue } from './device-message-queue.js';
import { DeviceOwnerCache } from './device-owner-cache.js';

/** How soon a connection is read again whose device has too much waiting. */
const CROWDED_PAUSE_MS = 20;

/** Sees to it that no device stops the others: by its limits, by turns, and by cutting those that go on. */
@Injectable()
export class LineLimiter {
  constructor(
    private readonly limiter: DeviceLimiter,
    private readonly queue: DeviceMessageQueue,
    private readonly owners: DeviceOwnerCache,
    private readonly cutoffs: CutoffRegistry,
    private readonly access: BrokerClientFactory,
    private readonly refusals: RejectedMessages,
  ) {}

  /**
   * Counts what the embedded broker read from a device at an `address`, as a key. @returns the milliseconds for which
   * it must not read on.
   */
  pace(deviceId: string, address: string | undefined, packets: number, bytes: number): number {
    const own = this.limiter.paceDevice(deviceId, packets, bytes);
    if (own > 0) {
      this.refusals.slowed(deviceId, own);
    }
    const shared = this.limiter.paceGroups(deviceId, { ownerId: this.owners.get(deviceId), address }, packets, bytes);
    const rush = this.limiter.paceRush(deviceId, packets, bytes);
    return Math.max(own, shared, rush, this.queue.isCrowded(deviceId) ? CROWDED_PAUSE_MS : 0);
  }

  /** Why a message is dropped before it is read, or null. The embedded broker has slowed its device down instead. */
  refuse(deviceId: string, bytes: number): LimitCode | 'cut_off' | null {
    if (this.cutoffs.isCut(deviceId)) {
      return 'cut_off';
    }
    return this.access.external ? this.limiter.refuse(deviceId, this.owners.get(deviceId), bytes) : null;
  }

  /** Why a message that holds `count` things is dropped, or null. */
  refuseOnChannel(deviceId: string, channel: UplinkChannel, count: number): LimitCode | null {
    return this.limiter.refuseOnChannel(deviceId, channel, count);
  }

  /** Starts `work` in the turn of its device, or answers false. */
  offer(deviceId: string, bytes: number, work: () => Promise<void>): boolean {
    return this.queue.offer(deviceId, bytes, work);
  }

  /** Resolves when nothing offered is under way. */
  drained(): Promise<void> {
    return this.queue.drained();
  }
}
