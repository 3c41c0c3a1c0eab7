import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof WEBHOOKS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof WEBHOOKS_AUDIT.entities> {}
}

export const WEBHOOKS_AUDIT = {
  actions: [
    'webhook_created',
    'webhook_updated',
    'webhook_deleted',
    'webhook_secret_rotated',
    'webhook_tested',
    'webhook_delivery_replayed',
    'webhook_disabled',
  ],
  entities: { webhook: 'webhookId' },
} as const satisfies AuditDeclaration;
