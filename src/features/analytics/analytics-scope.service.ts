import { Injectable } from '@nestjs/common';
import type { CacheScope, CacheScopeReader } from '../../platform/cache/cached.types.js';
import { QUARTER_MS } from '../../shared/time/quarters.js';
import { DeviceScopeService } from '../sharing/access/device-scope.service.js';

/** What an answer about a person's devices rests on as far as the person says: their devices, and what is counted of them. */
export function tagsOfCounts(userId: string): string[] {
  return [`account:${userId}`, `owner:${userId}`, 'counts', `counts:owner:${userId}`];
}

/**
 * The devices of others that a person sees, and what is counted of them. A running period goes on with the next quarter of an hour,
 * so no answer outlives this one.
 */
@Injectable()
export class AnalyticsScopeService implements CacheScopeReader {
  constructor(private readonly devices: DeviceScopeService) {}

  async readScope(userId: string): Promise<CacheScope> {
    const { tags, changesInMs } = await this.devices.readScope(userId);
    const counted = tags.filter((tag) => /^(organization|device):/.test(tag)).map((tag) => `counts:${tag}`);
    const untilNextQuarter = QUARTER_MS - (Date.now() % QUARTER_MS);
    return { tags: [...tags, ...counted], changesInMs: Math.min(changesInMs ?? Infinity, untilNextQuarter) };
  }
}
