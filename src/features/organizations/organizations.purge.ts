import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { InvitationsRepository } from './invitations/invitations.repository.js';

/** Invitations that have expired, accepted or not. */
export const INVITATIONS_PURGE = purgeRule({
  name: 'purge_invitations',
  tables: ['invitations'],
  keptFor: 0,
  from: [InvitationsRepository],
  purge: ({ limit, keptMs }, invitations) => invitations.purge(limit, keptMs),
});
