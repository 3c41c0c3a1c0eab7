import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { InvitationsRepository } from './invitations/invitations.repository.js';

/** Invitations that were accepted or revoked, or have expired. */
export const INVITATIONS_PURGE = purgeRule({
  name: 'purge_invitations',
  everyMs: 3_600_000,
  from: [InvitationsRepository],
  purge: (limit, invitations) => invitations.purge(limit),
});
