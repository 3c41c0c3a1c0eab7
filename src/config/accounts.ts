import { DOCS, duration, durationFrom, integer, oneOf } from './settings.js';

/** OWASP Password Storage Cheat Sheet, argon2id with one lane: memory in KiB, and passes. As strong as each other. */
const WEAKEST_COSTS = [
  [47_104, 1],
  [19_456, 2],
  [12_288, 3],
  [9_216, 4],
  [7_168, 5],
] as const;
/** They in words. */
export const WEAKEST_HASHES = WEAKEST_COSTS.map(([memory, passes]) => `${String(memory)} with ${String(passes)}`).join(
  ', ',
);

/** Accounts, their sessions and their passwords. */
export const ACCOUNT_SETTINGS = {
  JWT_ACCESS_EXPIRY: durationFrom('1m', '24h')
    .prefault('15m')
    .register(DOCS, { description: 'Life of an access token: 1m to 24h.', example: '15m' }),
  JWT_REFRESH_EXPIRY: duration()
    .prefault('7d')
    .register(DOCS, { description: 'Life of a refresh token.', example: '7d' }),
  JWT_REMEMBER_EXPIRY: duration().prefault('30d').register(DOCS, {
    description: 'Life of a refresh token of a login with `rememberMe`.',
    example: '30d',
  }),
  TOKEN_ALGORITHM: oneOf('RS256', 'EdDSA').default('RS256').register(DOCS, {
    description: 'Signs access tokens: RS256 (RSA, 3,072 bits) or EdDSA (Ed25519). Tokens of the other one stay valid.',
    example: 'RS256',
  }),
  KEY_ROTATION_INTERVAL: durationFrom('1h').prefault('30d').register(DOCS, {
    description: 'How long a key signs before the next one takes over: 1h or more.',
    example: '30d',
  }),
  MAX_SESSIONS_PER_USER: integer(1, 100)
    .default(5)
    .register(DOCS, { description: 'Sessions of a person at a time. One more ends the oldest.', example: '5' }),
  MAX_ORGANIZATIONS_PER_USER: integer(1, 10_000).default(50).register(DOCS, {
    description: 'Organizations of which a person may be a member, their own ones included.',
    example: '50',
  }),
  REGISTRATION: oneOf('open', 'verified', 'closed').nullable().default(null).register(DOCS, {
    description:
      'Who may make an account: open (without confirmation), verified (after a mailed link), closed (administrators make them). Unset: closed with NODE_ENV=production, else open.',
    example: 'verified',
  }),
  PASSWORD_MAX_AGE: durationFrom('1d').nullable().default(null).register(DOCS, {
    description:
      'After that time (1d or more) a password must be changed at the next login. Unset: never, as NIST SP 800-63B advises.',
    example: '365d',
  }),
  ARGON2_MEMORY: integer(7_168, 4_194_304)
    .default(19_456)
    .register(DOCS, {
      description: `Memory of a password hash (argon2id), in KiB: with ARGON2_PASSES at least ${WEAKEST_HASHES}. Passwords with weaker hashes are hashed again at the next login.`,
      example: '19456',
    }),
  ARGON2_PASSES: integer(1, 100).default(2).register(DOCS, { description: 'Passes over that memory.', example: '2' }),
  ONE_TIME_PASSWORD_EXPIRY: duration().prefault('24h').register(DOCS, {
    description: "Life of the one-time password of an administrator's reset. After it, it is as wrong as any other.",
    example: '24h',
  }),
};

export function hashesAreStrong(settings: { readonly ARGON2_MEMORY: number; readonly ARGON2_PASSES: number }): boolean {
  const { ARGON2_MEMORY, ARGON2_PASSES } = settings;
  return WEAKEST_COSTS.some(([memory, passes]) => ARGON2_MEMORY >= memory && ARGON2_PASSES >= passes);
}
