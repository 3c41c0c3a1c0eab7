import type { OrganizationRole } from '../../contracts/resources.js';

/** A group of users who share devices. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  /** Of the user who reads it. */
  readonly role: OrganizationRole;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A user in an organization. */
export interface Member {
  readonly userId: string;
  readonly email: string;
  readonly displayName: string;
  readonly role: OrganizationRole;
  readonly joinedAt: Date;
}

/** An offer, mailed to an e-mail address, to become a member. */
export interface Invitation {
  readonly id: string;
  readonly email: string;
  readonly role: OrganizationRole;
  readonly invitedBy: string;
  readonly expiresAt: Date;
  readonly createdAt: Date;
}

/** One page of a list, oldest first. */
export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
}

/** A change of one member by another; both are the same for a user who leaves. */
export interface MembershipChange {
  readonly organizationId: string;
  readonly actorId: string;
  readonly memberId: string;
}

/** Whose devices an organization loses: one member's, or those of all when `userId` is null. */
export interface Departure {
  readonly organizationId: string;
  readonly userId: string | null;
}

/** Called inside of the transaction that ends memberships: its effects commit or roll back with it. */
export type DepartureHandler = (departure: Departure) => Promise<void>;
