import type { OrganizationRole } from '../../contracts/resources.js';

/** People who share devices. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  /** What the person who asks is in it. */
  readonly role: OrganizationRole;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A person in an organization. */
export interface Member {
  readonly userId: string;
  readonly email: string;
  readonly displayName: string;
  readonly role: OrganizationRole;
  readonly joinedAt: Date;
}

/** An address that was asked to join and has not answered yet. */
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

/** Whose devices an organization lost: one member's, or everybody's when `userId` is null. */
export interface Departure {
  readonly organizationId: string;
  readonly userId: string | null;
}

/** Called inside of the transaction in which people leave: what it does stands or falls with it. */
export type DepartureHandler = (departure: Departure) => Promise<void>;
