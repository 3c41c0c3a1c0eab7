import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof DEVICES_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof DEVICES_AUDIT.entities> {}
}

export const DEVICES_AUDIT = {
  actions: [
    'device_registered',
    'device_updated',
    'device_deleted',
    'devices_provisioned',
    'device_provisioned',
    'claim_code_renewed',
    'provisioned_device_deleted',
    'device_claimed',
    'activation_code_created',
    'activation_code_shown',
    'device_activated',
    'device_token_rotated',
    'device_tokens_revoked',
    'transfer_offered',
    'transfer_cancelled',
    'transfer_declined',
    'device_transferred',
    'device_reset',
  ],
  entities: { device: 'deviceId', provisioned_device: 'provisionedId', transfer: 'transferId' },
} as const satisfies AuditDeclaration;
