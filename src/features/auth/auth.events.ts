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

export const AUTH_EVENTS = { system_alert: SystemAlertPayload } satisfies EventDeclaration;
