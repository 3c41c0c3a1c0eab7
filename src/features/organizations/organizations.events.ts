import type { PayloadOf } from '../../contracts/events.js';
import type { OrganizationRole } from '../../contracts/resources.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** A person who has an account was invited to an organization. For that person. */
export class InvitationReceivedPayload implements PayloadOf<'invitation_received'> {
  invitationId!: string;
  organizationId!: string;
  organizationName!: string;
  role!: OrganizationRole;
}

export const ORGANIZATIONS_EVENTS = { invitation_received: InvitationReceivedPayload } satisfies EventDeclaration;
