import { Injectable } from '@nestjs/common';
import type { CacheScope, CacheScopeReader } from '../../../platform/cache/cached.types.js';
import type { EffectiveShare } from '../domain/device-access.js';
import { nextChange } from '../domain/openings.js';
import { DeviceScopeRepository } from './device-scope.repository.js';

/** With more shares than this, lists are not cached: each has a tag of its own. */
const MAX_SHARES = 200;

/**
 * What the devices that a person sees rest on beside their own: their organizations, the devices that are shared with them, and who
 * gave those shares; and when the next of the shares opens or closes.
 */
@Injectable()
export class DeviceScopeService implements CacheScopeReader {
  constructor(private readonly repository: DeviceScopeRepository) {}

  async readScope(userId: string): Promise<CacheScope> {
    const { at, organizationIds, shares } = await this.repository.read(userId, MAX_SHARES);
    const changes = shares.flatMap(({ terms }) => changesOf(terms, at));
    return {
      tags: [
        ...organizationIds.map((id) => `organization:${id}`),
        ...shares.flatMap(({ deviceId, accountIds }) => [
          `device:${deviceId}`,
          ...accountIds.map((id) => `account:${id}`),
        ]),
      ],
      changesInMs: changes.length === 0 ? null : Math.max(0, Math.min(...changes) - at.getTime()),
    };
  }
}

/** When it changes by itself what a share is, what its state is called, or when it is said to open next: by its own terms, and by those above. */
function changesOf(share: EffectiveShare, at: Date): number[] {
  const parts = [share, { ...share, under: null }, ...(share.under === null ? [] : [share.under])];
  const times = [share.from, share.until, ...parts.map((part) => nextChange({ ...part, suspended: false }, at))];
  return times.flatMap((time) => (time !== null && time > at ? [time.getTime()] : []));
}
