import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../../config/app-config.js';
import type { RateCategory } from '../../contracts/rate-limits.js';
import { BlockedIpStore } from './blocked-ip-store.js';
import { inBackground } from '../process/faults.js';

/** Counts that are kept; the one that did not grow for longest is dropped first. */
const CAPACITY = 10_000;

/**
 * Blocks an IP address that keeps sending anonymous requests although a limit refuses them: after so many refusals in a row
 * by one limit. Only a request that the same limit admits resets the count.
 */
@Injectable()
export class AbuseDetector {
  /** Refusals in a row by category and IP address. */
  readonly #refusals = new LRUCache<string, number>({ max: CAPACITY });

  constructor(
    private readonly config: AppConfig,
    private readonly blocked: BlockedIpStore,
  ) {}

  /** Call it for requests that did not show who sent them: others are no fault of the address they share. */
  note(ip: string, category: RateCategory, admitted: boolean): void {
    const { after, durationMs } = this.config.addressBlock;
    if (admitted && this.#refusals.size === 0) {
      return;
    }
    const key = `${category} ${ip}`;
    const refusals = (this.#refusals.get(key) ?? 0) + 1;
    this.#refusals.delete(key);
    if (admitted) {
      return;
    }
    if (refusals === after) {
      inBackground(() => this.blocked.block(ip, `rate_limit:${category}`, durationMs));
    } else {
      this.#refusals.set(key, refusals);
    }
  }
}
