import type { PlatformRole } from '../../platform/auth/principal.js';

/** A person with an account; the password hash is no part of it. */
export interface User {
  readonly id: string;
  /** In its one spelling, as the username is. */
  readonly email: string;
  /** Null for people who only use their e-mail address. */
  readonly username: string | null;
  readonly displayName: string;
  readonly role: PlatformRole;
  readonly createdAt: Date;
}

/** An account to be made. E-mail address and username get their one spelling before they are kept. */
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

/** The whole account, as administrators see it. */
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

/** An account that an administrator makes; its owner chooses a password by a mailed link. */
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

/** The state of a person's password. */
export interface PasswordState {
  readonly userId: string;
  /** The names to sign in with. */
  readonly email: string;
  readonly username: string | null;
  readonly changedAt: Date;
  /** Milliseconds since then, by the database clock. */
  readonly ageMs: number;
  /** An administrator reset it: a login with it may only choose another one. */
  readonly mustChange: boolean;
  /** The account is blocked, so that the right password does not open it either. */
  readonly blocked: boolean;
}

/** An account that is ready to be made: its names are checked and folded, its password is hashed. */
export interface PreparedAccount {
  readonly email: string;
  readonly username: string | null;
  readonly displayName: string;
  readonly passwordHash: string;
}
