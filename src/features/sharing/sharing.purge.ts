import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { ShareInvitationsRepository } from './shares/share-invitations.repository.js';

/** Shares that are over, and those that were never accepted: the audit trail keeps what they were. */
export const SHARES_PURGE = purgeRule({
  name: 'purge_device_shares',
  tables: ['device_shares'],
  keptFor: 'credentialsMs',
  from: [ShareInvitationsRepository],
  purge: ({ limit, keptMs }, shares) => shares.purge(limit, keptMs),
});
