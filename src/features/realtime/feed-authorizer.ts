import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { StoredEvent } from '../../contracts/events.js';
import { Signals } from '../../platform/redis/signals.js';
import { DevicesService } from '../devices/devices.service.js';
import { UsersService } from '../users/users.service.js';

/** How long an answer is cached. Signals of changed access clear it at once, but may be lost (promise P-06: 2 s). */
const CACHED_MS = 1_500;
const MAX_CACHED = 10_000;

/** Decides who may see an event at the moment it is sent, not when the socket connected or subscribed. */
@Injectable()
export class FeedAuthorizer implements OnModuleInit {
  readonly #cached = new Map<string, { allowed: boolean; until: number }>();

  constructor(
    private readonly devices: DevicesService,
    private readonly users: UsersService,
    private readonly signals: Signals,
  ) {}

  onModuleInit(): void {
    const clear = (): void => {
      this.#cached.clear();
    };
    this.signals.on('device_access_changed', clear);
    this.signals.on('organization_access_changed', clear);
  }

  maySeeSystemAlerts(userId: string): Promise<boolean> {
    return this.users.isAdmin(userId);
  }

  async maySee(userId: string, event: StoredEvent): Promise<boolean> {
    // Only the last owner of a deleted device learns of the deletion.
    if (event.deviceId === null || event.type === 'device_deleted') {
      return userId === event.userId;
    }
    const key = `${userId} ${event.deviceId}`;
    const known = this.#cached.get(key);
    if (known && known.until > performance.now()) {
      return known.allowed;
    }
    const allowed = (await this.devices.permissionOf(userId, event.deviceId)) !== null;
    if (this.#cached.size >= MAX_CACHED) {
      this.#cached.clear();
    }
    this.#cached.set(key, { allowed, until: performance.now() + CACHED_MS });
    return allowed;
  }
}
