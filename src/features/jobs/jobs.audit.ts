import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof JOBS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof JOBS_AUDIT.entities> {}
}

export const JOBS_AUDIT = {
  actions: ['dead_letters_read', 'dead_letter_replayed', 'dead_letter_discarded'],
  entities: { queue: 'queue', dead_letter: 'deadLetter' },
} as const satisfies AuditDeclaration;
