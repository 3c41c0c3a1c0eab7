import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { MicroBatcher } from '../../batching/micro-batcher.js';
import { DeviceAuthenticator } from '../device-authenticator.js';

const MAX_DEVICES = 50_000;
/** A device that got another owner counts for the earlier one for so long. */
const KEPT_MS = 300_000;
const UNKNOWN = '';

/** Whose quota a device uses. It never makes a message wait: a device that is not known yet counts for itself alone. */
@Injectable()
export class DeviceOwnerCache {
  readonly #owners = new LRUCache<string, string>({ max: MAX_DEVICES, ttl: KEPT_MS });
  readonly #lookups = new MicroBatcher<string, string | null>({
    maxBatch: 500,
    connectsAs: 'line',
    maxParallel: 1,
    maxWaiting: MAX_DEVICES,
    delayMs: 10,
    run: async (deviceIds) => {
      const owners = await this.authenticator.listOwners(deviceIds);
      return deviceIds.map((deviceId) => owners.get(deviceId) ?? null);
    },
  });

  constructor(private readonly authenticator: DeviceAuthenticator) {}

  /** The owner as far as it is known now; the next message will find it. */
  get(deviceId: string): string | undefined {
    const known = this.#owners.get(deviceId);
    if (known === undefined) {
      this.#owners.set(deviceId, UNKNOWN);
      this.#lookups.submit(deviceId).then(
        (ownerId) => this.#owners.set(deviceId, ownerId ?? UNKNOWN),
        () => this.#owners.delete(deviceId),
      );
    }
    return known === UNKNOWN ? undefined : known;
  }
}
