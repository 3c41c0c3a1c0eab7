import { adoptionRule } from '../../platform/adoption/adoption-registry.js';
import { ShareInvitationsRepository } from './shares/share-invitations.repository.js';

/** Shares may have been revoked since the backup: those that wait are not accepted any more. */
export const SHARES_ADOPTION = adoptionRule({
  name: 'share_invitations_revoked',
  from: [ShareInvitationsRepository],
  adopt: (invitations) => invitations.revokeAll(),
});
