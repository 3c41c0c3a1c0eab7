import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { ORGANIZATION_ROLES } from '../../contracts/resources.js';
import { ResourceResolverRegistry } from '../../platform/auth/resource-resolver-registry.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { UsersService } from '../users/users.service.js';
import { INVITATIONS_PURGE } from './organizations.purge.js';
import { ORGANIZATIONS_MAIL } from './organizations.mail.js';
import { ORGANIZATIONS_AUDIT } from './organizations.audit.js';
import { reaches } from './domain/roles.js';
import { InvitationMailer } from './invitation-mailer.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationsService } from './invitations.service.js';
import { MembershipsService } from './memberships.service.js';
import { MembershipsRepository } from './memberships.repository.js';
import { OrganizationsRepository } from './organizations.repository.js';
import { OrganizationsService } from './organizations.service.js';

@Module({
  imports: [
    UsersModule,
    AuditPlatformModule.forFeature(ORGANIZATIONS_AUDIT),
    MailModule.forFeature(ORGANIZATIONS_MAIL),
  ],
  providers: [
    OrganizationsService,
    OrganizationsRepository,
    MembershipsService,
    MembershipsRepository,
    InvitationsService,
    InvitationMailer,
    InvitationsRepository,
    INVITATIONS_PURGE,
  ],
  exports: [OrganizationsService, MembershipsService, InvitationsService, InvitationsRepository],
})
export class OrganizationsModule implements OnModuleInit {
  constructor(
    private readonly resolvers: ResourceResolverRegistry,
    private readonly memberships: MembershipsService,
    private readonly users: UsersService,
  ) {}

  onModuleInit(): void {
    this.users.onDeletion((userIds) => this.memberships.refusalsOf(userIds));
    this.resolvers.register('organization', {
      resolve: async (id, principal) => {
        const role = await this.memberships.roleOf(principal.userId, id);
        return role === null ? null : { id, role };
      },
      allows: ({ role }, demand) =>
        ORGANIZATION_ROLES.some((needed) => needed.toLowerCase() === demand && reaches(role, needed)),
    });
  }
}
