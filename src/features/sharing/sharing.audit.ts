import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof SHARING_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof SHARING_AUDIT.entities> {}
}

export const SHARING_AUDIT = {
  actions: [
    'share_granted',
    'share_changed',
    'share_revoked',
    'share_left',
    'share_accepted',
    'share_invited_again',
    'device_shares_read',
    'device_access_read',
    'device_access_checked',
  ],
  entities: { share: 'shareId' },
} as const satisfies AuditDeclaration;
