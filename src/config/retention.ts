import type { z } from 'zod';
import { DOCS, durationFrom } from './settings.js';

/** A century: what is older is beyond the years that PostgreSQL can name. */
const MOST = '36500d';

/** How long rows are kept, where an operator decides it. The rest is fixed by what needs it, beside its purge rule. */
export const RETENTION_SETTINGS = {
  RETENTION_EVENTS: durationFrom('7d', MOST).prefault('90d').register(DOCS, {
    description: 'How long events are kept: history, and what a dashboard can catch up on. 7d or more.',
    example: '90d',
  }),
  RETENTION_ROLLUPS: durationFrom('7d', MOST).prefault('730d').register(DOCS, {
    description: 'How long the counts of events by quarter of an hour are kept: not shorter than RETENTION_EVENTS.',
    example: '730d',
  }),
  RETENTION_COMMANDS: durationFrom('3d', MOST).prefault('90d').register(DOCS, {
    description:
      'How long a command is kept after it ended: 3d or more, because one waits for a day, is repeated by its idempotency key for a day, and answered late.',
    example: '90d',
  }),
  RETENTION_SESSIONS: durationFrom('1d', MOST).prefault('30d').register(DOCS, {
    description:
      'How long a session is kept after its last refresh token expired: 1d or more. Until then its holder is told why it ended.',
    example: '30d',
  }),
  RETENTION_DELETED_USERS: durationFrom('1d', MOST).prefault('90d').register(DOCS, {
    description: 'How long a deleted account can be restored: 1d or more. Then it is removed with all that is its own.',
    example: '90d',
  }),
  RETENTION_KEYS: durationFrom('1d', MOST).prefault('365d').register(DOCS, {
    description: 'How long a retired signing key is listed: 1d or more. It verifies nothing any more.',
    example: '365d',
  }),
  RETENTION_CREDENTIALS: durationFrom('1d', MOST).prefault('90d').register(DOCS, {
    description: 'How long a revoked token of a device is kept: 1d or more. It is refused before and after.',
    example: '90d',
  }),
} as const;

type RetentionVariable = keyof typeof RETENTION_SETTINGS;
export type RetentionSettings = { readonly [V in RetentionVariable]: z.output<(typeof RETENTION_SETTINGS)[V]> };

/** How long rows are kept, in milliseconds. */
export interface Retention {
  readonly eventsMs: number;
  readonly rollupsMs: number;
  /** Since they ended. */
  readonly commandsMs: number;
  /** Since the last refresh token of the session expired. */
  readonly sessionsMs: number;
  /** Since the deletion. */
  readonly deletedUsersMs: number;
  /** Since a key was retired. */
  readonly keysMs: number;
  /** Since the revocation of a device's token. */
  readonly credentialsMs: number;
}
export type RetentionName = keyof Retention;

/** The variable that sets each of them. */
export const RETENTION_VARIABLES: Readonly<Record<RetentionName, RetentionVariable>> = {
  eventsMs: 'RETENTION_EVENTS',
  rollupsMs: 'RETENTION_ROLLUPS',
  commandsMs: 'RETENTION_COMMANDS',
  sessionsMs: 'RETENTION_SESSIONS',
  deletedUsersMs: 'RETENTION_DELETED_USERS',
  keysMs: 'RETENTION_KEYS',
  credentialsMs: 'RETENTION_CREDENTIALS',
};

export function retentionOf(settings: RetentionSettings): Retention {
  return Object.freeze({
    eventsMs: settings.RETENTION_EVENTS,
    rollupsMs: settings.RETENTION_ROLLUPS,
    commandsMs: settings.RETENTION_COMMANDS,
    sessionsMs: settings.RETENTION_SESSIONS,
    deletedUsersMs: settings.RETENTION_DELETED_USERS,
    keysMs: settings.RETENTION_KEYS,
    credentialsMs: settings.RETENTION_CREDENTIALS,
  });
}

/** An event that is still there may yet be counted: the rest of an hour whose count is gone would look like all of it. */
export function rollupsOutlastEvents({ RETENTION_EVENTS, RETENTION_ROLLUPS }: RetentionSettings): boolean {
  return RETENTION_ROLLUPS >= RETENTION_EVENTS;
}
