import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof NOTIFICATIONS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof NOTIFICATIONS_AUDIT.entities> {}
}

export const NOTIFICATIONS_AUDIT = {
  actions: [
    'notification_updated',
    'notifications_read',
    'notification_preferences_updated',
    'notifications_unsubscribed',
    'push_subscription_registered',
    'push_subscription_removed',
    'chat_hook_set',
    'chat_hook_removed',
    'chat_hook_tested',
    'chat_hook_disabled',
    'mail_events_heard',
    'mail_suppressed',
    'mail_suppression_lifted',
    'phone_named',
    'phone_confirmed',
    'phone_removed',
    'phone_stopped',
  ],
  entities: { notification: 'notificationId', push_subscription: 'subscriptionId' },
} as const satisfies AuditDeclaration;
