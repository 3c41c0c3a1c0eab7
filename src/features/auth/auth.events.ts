import type { PayloadOf } from '../../contracts/events.js';
import type { EventDeclaration } from '../../platform/events/event-type-registry.js';

/** Failed logins passed a threshold. For administrators. */
export class SystemAlertPayload implements PayloadOf<'system_alert'> {
  alert!: 'login_failures';
  /** `account`: of one account. `overall`: of all logins together. */
  scope!: 'account' | 'overall';
  failures!: number;
  windowSeconds!: number;
  /** The account, where the alert is about one that exists. */
  userId?: string;
}

/** A person signed in by a client that had not signed in to their account before. For that person. */
export class SignedInAnewPayload implements PayloadOf<'signed_in_anew'> {
  sessionId!: string;
  /** Browser and system, as they call themselves. */
  client!: string;
  /** The IP address that it came from, where that is known. */
  address?: string;
}

/** An administrator took a password away, or replaced it. For the person whose it was. */
export class PasswordResetPayload implements PayloadOf<'password_reset'> {
  by!: 'administrator';
}

export const AUTH_EVENTS = {
  system_alert: SystemAlertPayload,
  signed_in_anew: SignedInAnewPayload,
  password_reset: PasswordResetPayload,
} satisfies EventDeclaration;
