import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { StoredEvent } from '../../contracts/events.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { DeviceAccessService } from '../sharing/access/device-access.service.js';
import { UsersService } from '../users/users.service.js';

/** How long an answer is cached. Signals of changed access clear it at once, but may be lost (promise P-06: 2 s). */
const CACHED_MS = 1_500;
const MAX_CACHED = 10_000;

/** Decides who may see an event at the moment it is sent, not when the socket connected or subscribed. */
@Injectable()
export class FeedAuthorizer implements OnModuleInit {
  readonly #cached = new LRUCache<string, number>({ max: MAX_CACHED, ttl: CACHED_MS, ttlResolution: 0 });

  constructor(
    private readonly access: DeviceAccessService,
    private readonly users: UsersService,
    private readonly signals: SignalBus,
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
    const visibleFrom = known ?? (await this.access.visibleFrom(userId, event.deviceId));
    if (known === undefined) {
      this.#cached.set(key, visibleFrom);
    }
    // What a device kept while it was another person's may arrive late.
    return Date.parse(event.occurredAt) >= visibleFrom;
  }
}
