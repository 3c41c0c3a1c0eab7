import { Injectable } from '@nestjs/common';
import type { EffectiveShare, ShareTerms } from '../domain/device-access.js';
import { faultsOf } from '../domain/share-terms.js';
import { nextOpenings, type Opening } from '../domain/openings.js';
import { InvalidShareTermsError } from '../sharing.errors.js';
import { SharesRepository } from './shares.repository.js';

/** The times at which shares will be open, from the time of the database on. */
@Injectable()
export class SharePreviewService {
  constructor(private readonly repository: SharesRepository) {}

  now(): Promise<Date> {
    return this.repository.now();
  }

  /** @param after from when on; null: from now on */
  async openings(share: EffectiveShare, count: number, after: Date | null = null): Promise<Opening[]> {
    return nextOpenings(share, after ?? (await this.now()), count);
  }

  /** The same for terms that are not given yet. @throws InvalidShareTermsError */
  async preview(terms: ShareTerms, count: number, after: Date | null): Promise<Opening[]> {
    const [first, ...others] = faultsOf(terms, await this.now());
    if (first) {
      throw new InvalidShareTermsError([first, ...others]);
    }
    return this.openings({ ...terms, under: null }, count, after);
  }
}
