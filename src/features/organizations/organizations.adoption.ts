import { adoptionRule } from '../../platform/adoption/adoption-registry.js';
import { InvitationsRepository } from './invitations/invitations.repository.js';

/** Invitations may have been revoked since the backup: all that are open are. */
export const INVITATIONS_ADOPTION = adoptionRule({
  name: 'invitations_revoked',
  from: [InvitationsRepository],
  adopt: (invitations) => invitations.revokeAllOpen(),
});
