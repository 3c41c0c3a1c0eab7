import type { PlatformRole } from '../../platform/auth/principal.js';
import type { DomainError, FieldError } from '../../shared/domain-error.js';

/** A person with an account. What proves them (the password hash) never leaves this feature. */
export interface User {
  readonly id: string;
  /** Folded: lower case, NFC. */
  readonly email: string;
  /** Folded; null for people who only use their e-mail address. */
  readonly username: string | null;
  readonly displayName: string;
  readonly role: PlatformRole;
  readonly createdAt: Date;
}

/** An account to be made. Spelling and case of e-mail and username are folded before they are kept. */
export interface NewUser {
  readonly email: string;
  readonly username?: string | undefined;
  /** 12 to 128 characters, not a common one, without the person's names. */
  readonly password: string;
  /** The username or the local part of the e-mail address, if it is left out. */
  readonly displayName?: string | undefined;
  readonly role?: PlatformRole;
}

export const ACCOUNT_STATUSES = ['active', 'blocked', 'deleted'] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** An account as those see it who manage it. */
export interface Account extends User {
  readonly status: AccountStatus;
  /** False until its owner chose a password by the mailed link. */
  readonly hasPassword: boolean;
  readonly lastLoginAt: Date | null;
  readonly loginCount: number;
  /** Failed logins since the last good one. */
  readonly failedAttempts: number;
  readonly blockedAt: Date | null;
  readonly deletedAt: Date | null;
  readonly version: number;
  readonly updatedAt: Date;
}

/** An account that an administrator makes: its owner chooses a password by a mailed link. */
export interface InvitedAccount {
  readonly email: string;
  readonly username?: string | null | undefined;
  readonly displayName?: string | undefined;
  readonly role?: PlatformRole | undefined;
}

/** What may be changed of an account; what is missing stays. */
export interface AccountChanges {
  readonly email?: string | undefined;
  /** Null takes it away. */
  readonly username?: string | null | undefined;
  readonly displayName?: string | undefined;
}

/** Why one row of many was not done: the `code` of the problem that it would have been by itself. */
export type RowRefusal = DomainError['code'];

/** Whose accounts have to stay, and why. Asked inside of the transaction that deletes these. */
export type DeletionRefusals = (userIds: readonly string[]) => Promise<ReadonlyMap<string, DomainError>>;

/** What else happens when an administrator changed an e-mail address, in the same transaction. */
export type CorrectedAddressHandler = (before: Account, after: Account) => Promise<void>;

/** What became of one row of many: what it made or changed, or why it did not. */
export type RowOutcome =
  { readonly account: Account } | { readonly refusal: RowRefusal; readonly errors?: readonly FieldError[] };

/** How it stands with a person's password. */
export interface PasswordState {
  readonly userId: string;
  readonly changedAt: Date;
  /** Milliseconds since then, by the database clock. */
  readonly ageMs: number;
  /** An administrator reset it: it is good for being changed, and nothing else. */
  readonly mustChange: boolean;
  /** The account is blocked: the right password does not open it either. */
  readonly blocked: boolean;
}

/** An account ready to be made: checked, its names folded, its password hashed. */
export interface PreparedAccount {
  readonly email: string;
  readonly username: string | null;
  readonly displayName: string;
  readonly passwordHash: string;
}
