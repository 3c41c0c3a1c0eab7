import { Injectable } from '@nestjs/common';
import type { CacheScope, CacheScopeReader } from '../../platform/cache/cached.types.js';
import { MembershipsRepository } from './memberships.repository.js';

/** What the list of a person's organizations rests on: those of which they are a member. */
@Injectable()
export class OrganizationScopeService implements CacheScopeReader {
  constructor(private readonly memberships: MembershipsRepository) {}

  async readScope(userId: string): Promise<CacheScope> {
    const ids = await this.memberships.listOrganizationIds(userId);
    return { tags: ids.map((id) => `organization:${id}`), changesInMs: null };
  }
}
