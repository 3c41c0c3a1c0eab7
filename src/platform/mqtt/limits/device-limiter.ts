import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import type { UplinkChannel } from '../../../contracts/mqtt.js';
import { Clock } from '../../../shared/clock.js';
import { type BucketPolicy, DEVICE_LIMITS, GROUP_LIMITS, GROUP_SHARE } from './device-limits.js';
import { TokenBucketLimiter } from './token-bucket-limiter.js';

/** Boot ids of a device that are known; an earlier one counts as new again. */
const KNOWN_BOOTS = 16;
const MAX_DEVICES = 50_000;

/** What a device shares quotas with. */
export interface Groups {
  /** Undefined while it is being looked up. */
  readonly ownerId: string | undefined;
  /** Known where the broker is embedded. */
  readonly address: string | undefined;
}

/** Which limit a message is beyond. */
export type LimitCode =
  'too_many_messages' | 'too_many_bytes' | 'too_many_messages_of_owner' | 'too_many_events' | 'too_many_acks';

/**
 * How much a device may send, in this process. The embedded broker reads slower from a device beyond its limits, so that
 * nothing is lost (the methods named `pace`); an external one cannot be slowed, and what is beyond is dropped.
 */
@Injectable()
export class DeviceLimiter {
  readonly #device: Readonly<Record<keyof typeof DEVICE_LIMITS, TokenBucketLimiter>>;
  readonly #groupMessages: TokenBucketLimiter;
  readonly #groupBytes: TokenBucketLimiter;
  readonly #shareMessages: TokenBucketLimiter;
  readonly #shareBytes: TokenBucketLimiter;
  /** The last boots of each device, both in the order of their last use. */
  readonly #boots = new Map<string, string[]>();

  constructor(config: AppConfig, clock: Clock) {
    const limiter = ({ perSecond, burst }: BucketPolicy): TokenBucketLimiter => {
      const scale = config.rateLimitScale;
      return new TokenBucketLimiter({ perSecond: perSecond * scale, burst: burst * scale }, () => clock.monotonic());
    };
    this.#device = Object.freeze({
      messages: limiter(DEVICE_LIMITS.messages),
      rush: limiter(DEVICE_LIMITS.rush),
      rushBytes: limiter(DEVICE_LIMITS.rushBytes),
      bytes: limiter(DEVICE_LIMITS.bytes),
      events: limiter(DEVICE_LIMITS.events),
      acks: limiter(DEVICE_LIMITS.acks),
      statuses: limiter(DEVICE_LIMITS.statuses),
      boots: limiter(DEVICE_LIMITS.boots),
      logins: limiter(DEVICE_LIMITS.logins),
    });
    this.#groupMessages = limiter(GROUP_LIMITS.messages);
    this.#groupBytes = limiter(GROUP_LIMITS.bytes);
    this.#shareMessages = limiter(GROUP_SHARE.messages);
    this.#shareBytes = limiter(GROUP_SHARE.bytes);
  }

  /** Counts what was read from a device. @returns the milliseconds for which nothing more should be read from it. */
  paceDevice(deviceId: string, packets: number, bytes: number): number {
    return Math.max(this.#device.messages.spend(deviceId, packets), this.#device.bytes.spend(deviceId, bytes));
  }

  /** How long to wait before more is read from a device that is within its limits. @returns milliseconds */
  paceRush(deviceId: string, packets: number, bytes: number): number {
    return Math.max(this.#device.rush.spend(deviceId, packets), this.#device.rushBytes.spend(deviceId, bytes));
  }

  /** As {@link paceDevice}, for what the devices of an owner, or behind an address, send together beyond their shares. */
  paceGroups(deviceId: string, { ownerId, address }: Groups, packets: number, bytes: number): number {
    if (this.isWithinShare(deviceId, packets, bytes)) {
      return 0;
    }
    const keys = [
      ...(ownerId === undefined ? [] : [`owner:${ownerId}`]),
      ...(address === undefined ? [] : [`address:${address}`]),
    ];
    return Math.max(
      0,
      ...keys.flatMap((key) => [this.#groupMessages.spend(key, packets), this.#groupBytes.spend(key, bytes)]),
    );
  }

  /** Counts a message that cannot be held up. @returns the limit that it is beyond, or null. */
  refuse(deviceId: string, ownerId: string | undefined, bytes: number): LimitCode | null {
    if (!this.#device.messages.take(deviceId)) {
      return 'too_many_messages';
    }
    if (!this.#device.bytes.take(deviceId, bytes)) {
      return 'too_many_bytes';
    }
    const owner = ownerId === undefined ? undefined : `owner:${ownerId}`;
    return owner === undefined ||
      this.isWithinShare(deviceId, 1, bytes) ||
      (this.#groupMessages.take(owner) && this.#groupBytes.take(owner, bytes))
      ? null
      : 'too_many_messages_of_owner';
  }

  /** Counts what a message holds, such as its events. @returns the limit of its channel that it is beyond, or null. */
  refuseOnChannel(deviceId: string, channel: UplinkChannel, count: number): LimitCode | null {
    if (channel === 'events') {
      return this.#device.events.take(deviceId, count) ? null : 'too_many_events';
    }
    return channel === 'acks' && !this.#device.acks.take(deviceId) ? 'too_many_acks' : null;
  }

  /** Counts a birth or will that is being recorded. */
  countStatus(deviceId: string): void {
    this.#device.statuses.spend(deviceId);
  }

  /** The milliseconds until the next birth or will of a device may be recorded; 0 when now. */
  statusPauseMs(deviceId: string): number {
    return this.#device.statuses.spend(deviceId, 0);
  }

  /** Whether a device that has shown its token may log in again so soon. */
  admitsLogin(deviceId: string): boolean {
    return this.#device.logins.take(deviceId);
  }

  /** Whether a device may have started again so soon, if it has not used this boot id before. */
  admitsBoot(deviceId: string, boot: string): boolean {
    const boots = this.#boots.get(deviceId) ?? [];
    const known = boots.includes(boot);
    if (!known && !this.#device.boots.take(deviceId)) {
      return false;
    }
    if (boots.at(-1) !== boot) {
      this.#boots.delete(deviceId);
      this.#boots.set(deviceId, [...boots.filter((each) => each !== boot), boot].slice(-KNOWN_BOOTS));
    }
    if (this.#boots.size > MAX_DEVICES) {
      this.#boots.delete(this.#boots.keys().next().value ?? '');
    }
    return true;
  }

  /** Counts what a device may send whatever its neighbours do. */
  private isWithinShare(deviceId: string, packets: number, bytes: number): boolean {
    return this.#shareMessages.take(deviceId, packets) && this.#shareBytes.take(deviceId, bytes);
  }
}
