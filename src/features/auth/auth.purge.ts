import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { LoginThrottleRepository } from './login/login-throttle.repository.js';
import { LoginWindowsRepository } from './login/login-windows.repository.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { OneTimeTokensRepository } from './tokens/one-time-tokens.repository.js';

const HOUR_MS = 3_600_000;

/** Failed logins that no longer delay a login: a day of them drains within another. */
const LOGIN_THROTTLES_PURGE = purgeRule({
  name: 'purge_login_throttles',
  tables: ['login_throttles'],
  keptFor: 48 * HOUR_MS,
  from: [LoginThrottleRepository],
  purge: ({ limit, keptMs }, throttles) => throttles.purge(limit, keptMs),
});

/** Counts by windows of an hour at most. */
const ALERT_WINDOWS_PURGE = purgeRule({
  name: 'purge_alert_windows',
  tables: ['alert_windows'],
  keptFor: 2 * HOUR_MS,
  from: [LoginWindowsRepository],
  purge: ({ limit, keptMs }, windows) => windows.purge(limit, keptMs),
});

/** Tokens that were used or have expired. */
const ONE_TIME_TOKENS_PURGE = purgeRule({
  name: 'purge_one_time_tokens',
  tables: ['one_time_tokens'],
  keptFor: 0,
  from: [OneTimeTokensRepository],
  purge: ({ limit, keptMs }, tokens) => tokens.purge(limit, keptMs),
});

/** Sessions whose last refresh token expired long ago, however they ended. */
const SESSIONS_PURGE = purgeRule({
  name: 'purge_sessions',
  tables: ['sessions'],
  keptFor: 'sessionsMs',
  from: [SessionsRepository],
  purge: ({ limit, keptMs }, sessions) => sessions.purge(limit, keptMs),
});

export const AUTH_PURGES = [LOGIN_THROTTLES_PURGE, ALERT_WINDOWS_PURGE, ONE_TIME_TOKENS_PURGE, SESSIONS_PURGE];
