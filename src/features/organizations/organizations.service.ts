import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../contracts/resources.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../shared/cursor.js';
import { type Page, toPage } from '../../shared/paging.js';
import { MembershipsRepository } from './memberships.repository.js';
import { LastOwnerError } from './organizations.errors.js';
import { OrganizationsRepository } from './organizations.repository.js';
import type { DepartureHandler, Organization, PageRequest } from './organizations.types.js';
import { Roster } from './roster.js';

/** Organizations: what there is, and who is what in them. */
@Injectable()
export class OrganizationsService {
  constructor(
    private readonly repository: OrganizationsRepository,
    private readonly memberships: MembershipsRepository,
    private readonly roster: Roster,
  ) {}

  /** Those a person is a member of, oldest first. @throws InvalidCursorError */
  async list(userId: string, { limit, cursor }: PageRequest): Promise<Page<Organization>> {
    const rows = await this.repository.list(userId, limit, decodeCursor('organizations', cursor, CREATION_PARTS));
    return toPage(
      rows,
      limit,
      (organization) => organization,
      ({ createdAt, id }) => encodeCursor('organizations', [createdAt.toISOString(), id]),
    );
  }

  /** As a member sees it. @throws OrganizationNotFoundError also for somebody who is none */
  get(userId: string, organizationId: string): Promise<Organization> {
    return this.repository.get(userId, organizationId);
  }

  /** What a person is in an organization now; null when it is none of theirs, or does not exist. */
  roleOf(userId: string, organizationId: string): Promise<OrganizationRole | null> {
    return this.memberships.findRole(organizationId, userId);
  }

  /** The same, and it stays so until the surrounding transaction ends. */
  holdRole(userId: string, organizationId: string): Promise<OrganizationRole | null> {
    return this.memberships.holdRole(organizationId, userId);
  }

  /** Whose accounts cannot be deleted, lest an organization be left without an owner. */
  async refusalsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, LastOwnerError>> {
    const owners = await this.memberships.listSoleOwners(userIds);
    return new Map(owners.map((userId) => [userId, new LastOwnerError()]));
  }

  /** Registers what happens when people leave, or the organization ends. Call it in `onModuleInit`. */
  onDeparture(handler: DepartureHandler): void {
    this.roster.onDeparture(handler);
  }
}
