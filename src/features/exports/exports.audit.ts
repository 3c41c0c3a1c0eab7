import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof EXPORTS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof EXPORTS_AUDIT.entities> {}
}

export const EXPORTS_AUDIT = {
  actions: [
    'export_requested',
    'export_cancelled',
    'export_deleted',
    'export_linked',
    'export_downloaded',
    'export_schedule_created',
    'export_schedule_deleted',
  ],
  entities: { export: 'exportId', export_schedule: 'scheduleId' },
} as const satisfies AuditDeclaration;
