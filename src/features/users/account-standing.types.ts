import type { DomainError } from '../../shared/domain-error.js';

/** What decides whether an account can act. */
export interface AccountStanding {
  readonly blockedAt: Date | null;
  readonly deletedAt: Date | null;
}

/**
 * An account that can act: it is neither blocked nor deleted. Only such a one signs in, invites, accepts, owns as far as
 * an organization needs an owner, inherits, or gives commands. This is the one place that says so. A missing password
 * or one for a single login changes nothing: its person comes back by a mailed link. Only the rule about
 * the last administrator asks for a password, because no other account could give that one another.
 */
export const CAN_ACT = { blockedAt: null, deletedAt: null } as const satisfies AccountStanding;

export function canAct({ blockedAt, deletedAt }: AccountStanding): boolean {
  return blockedAt === null && deletedAt === null;
}

/** {@link CAN_ACT} as a condition on the row `alias` of `users`. */
export function canActSql(alias: string): string {
  return `${alias}.blocked_at IS NULL AND ${alias}.deleted_at IS NULL`;
}

/** The condition that the row `alias` of `users` unlocks no door yet: an administrator may know its password. */
export function unlockRestrictedSql(alias: string): string {
  return `${alias}.unlock_after > now()`;
}

/** Which of these accounts must not be deleted, and why. Asked inside the transaction that deletes them. */
export type DeletionRefusals = (userIds: readonly string[]) => Promise<ReadonlyMap<string, DomainError>>;

/** Called inside the transaction in which these accounts stop being able to act: ends what they have open. */
export type StandingEndHandler = (userIds: readonly string[]) => Promise<void>;
