import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { LoginThrottleRepository } from './login/login-throttle.repository.js';
import { LoginWindowsRepository } from './login/login-windows.repository.js';
import { OneTimeTokensRepository } from './tokens/one-time-tokens.repository.js';

const HOUR_MS = 3_600_000;

/** Failed logins and counts that no longer delay a login. */
export const LOGIN_THROTTLES_PURGE = purgeRule({
  name: 'purge_login_throttles',
  everyMs: HOUR_MS,
  from: [LoginThrottleRepository, LoginWindowsRepository],
  purge: async (limit, throttles, windows) => Math.max(await throttles.purge(limit), await windows.purge(limit)),
});

/** Tokens that were used or have expired. */
export const ONE_TIME_TOKENS_PURGE = purgeRule({
  name: 'purge_one_time_tokens',
  everyMs: HOUR_MS,
  from: [OneTimeTokensRepository],
  purge: (limit, tokens) => tokens.purge(limit),
});
