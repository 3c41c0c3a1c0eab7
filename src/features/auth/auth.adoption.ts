import { adoptionRule } from '../../platform/adoption/adoption-registry.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { OneTimeTokensRepository } from './tokens/one-time-tokens.repository.js';

/** Which sessions were ended since the backup is not known: all of them are. */
export const SESSIONS_ADOPTION = adoptionRule({
  name: 'sessions_ended',
  from: [SessionsRepository],
  adopt: (sessions) => sessions.endAll('restored'),
});

/** Secrets that were mailed before the backup may have been used or revoked since. */
export const ONE_TIME_TOKENS_ADOPTION = adoptionRule({
  name: 'mailed_links_revoked',
  from: [OneTimeTokensRepository],
  adopt: (tokens) => tokens.revokeAll(),
});
