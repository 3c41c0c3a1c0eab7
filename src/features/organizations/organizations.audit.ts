import type { AuditDeclaration } from '../../platform/audit/audit-registry.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof ORGANIZATIONS_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof ORGANIZATIONS_AUDIT.entities> {}
}

export const ORGANIZATIONS_AUDIT = {
  actions: [
    'organization_created',
    'organization_updated',
    'organization_deleted',
    'organization_transferred',
    'organization_left_without_owner',
    'member_invited',
    'invitation_revoked',
    'member_joined',
    'member_role_changed',
    'member_removed',
    'member_left',
    'members_read',
    'invitations_read',
  ],
  entities: { organization: 'organizationId', invitation: 'invitationId' },
} as const satisfies AuditDeclaration;
