import type { PlatformRole } from '../../platform/auth/principal.js';

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
