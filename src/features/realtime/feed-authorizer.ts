import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { StoredEvent } from '../../contracts/events.js';
import { Signals } from '../../platform/redis/signals.js';
import { DevicesService } from '../devices/devices.service.js';
import { UsersService } from '../users/users.service.js';

/** An answer is trusted this long; a change of access is heard of at once, but hints may be lost (promise P-06: 2 s). */
const TRUST_MS = 1_500;
const MAX_REMEMBERED = 10_000;

/** Who may see an event at the moment it is sent: not when the socket connected, not when it subscribed. */
@Injectable()
export class FeedAuthorizer implements OnModuleInit {
  readonly #remembered = new LRUCache<string, boolean>({ max: MAX_REMEMBERED, ttl: TRUST_MS, ttlResolution: 0 });

  constructor(
    private readonly devices: DevicesService,
    private readonly users: UsersService,
    private readonly signals: Signals,
  ) {}

  onModuleInit(): void {
    const forget = (): void => {
      this.#remembered.clear();
    };
    this.signals.on('device_access_changed', forget);
    this.signals.on('organization_access_changed', forget);
  }

  /** Whether a person may hear of the system itself. */
  mayHearOfSystem(userId: string): Promise<boolean> {
    return this.users.isAdmin(userId);
  }

  async maySee(userId: string, event: StoredEvent): Promise<boolean> {
    // Of a device that is gone, its last owner alone is told that it is gone.
    if (event.deviceId === null || event.type === 'device_deleted') {
      return userId === event.userId;
    }
    const key = `${userId} ${event.deviceId}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      return known;
    }
    const allowed = (await this.devices.permissionOf(userId, event.deviceId)) !== null;
    this.#remembered.set(key, allowed);
    return allowed;
  }
}
