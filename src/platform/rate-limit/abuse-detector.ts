import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppConfig, type RateCategory } from '../../config/app-config.js';
import { BlockedIpStore } from './blocked-ip-store.js';

/** Rows that are remembered; the one that did not grow for longest is forgotten first. */
const CAPACITY = 10_000;

/**
 * Blocks an address that goes on although it is refused: so many refusals by one limit without being admitted by it in
 * between. What it does elsewhere meanwhile does not end the row. A hand that pushes the unlock button over and over is
 * refused and no more: a block would keep the whole house from locking its doors.
 */
@Injectable()
export class AbuseDetector {
  readonly #rows = new LRUCache<string, number>({ max: CAPACITY });

  constructor(
    private readonly config: AppConfig,
    private readonly blocked: BlockedIpStore,
  ) {}

  note(address: string, category: RateCategory, admitted: boolean): void {
    const { after, durationMs } = this.config.addressBlock;
    if (category === 'unlock' || (admitted && this.#rows.size === 0)) {
      return;
    }
    const name = `${category} ${address}`;
    const row = (this.#rows.get(name) ?? 0) + 1;
    this.#rows.delete(name);
    if (admitted) {
      return;
    }
    if (row === after) {
      void this.blocked.block(address, `rate_limit:${category}`, durationMs);
    } else {
      this.#rows.set(name, row);
    }
  }
}
