import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof DEVICES_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof DEVICES_AUDIT.entities> {}
}

export const DEVICES_AUDIT = {
  actions: ['device_registered', 'device_updated', 'device_deleted'],
  entities: { device: 'deviceId' },
} as const satisfies AuditDeclaration;
