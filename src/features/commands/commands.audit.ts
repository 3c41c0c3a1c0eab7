import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof COMMANDS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof COMMANDS_AUDIT.entities> {}
}

export const COMMANDS_AUDIT = {
  actions: ['command_created', 'command_cancelled', 'device_commands_read'],
  entities: { command: 'commandId' },
} as const satisfies AuditDeclaration;
