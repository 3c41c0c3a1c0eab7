import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { ORGANIZATION_ROLES } from '../../contracts/resources.js';
import { ResourceResolverRegistry } from '../../platform/auth/resource-resolver-registry.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { MailModule } from '../../platform/mail/mail.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountStandingService } from '../users/account-standing.service.js';
import { INVITATIONS_ADOPTION } from './organizations.adoption.js';
import { INVITATIONS_PURGE } from './organizations.purge.js';
import { ORGANIZATIONS_EVENTS } from './organizations.events.js';
import { ORGANIZATIONS_MAIL } from './organizations.mail.js';
import { ORGANIZATIONS_AUDIT } from './organizations.audit.js';
import { reaches } from './domain/roles.js';
import { InvitationRevocationService } from './invitations/invitation-revocation.service.js';
import { InvitationMailer } from './invitations/invitation-mailer.js';
import { InvitationsRepository } from './invitations/invitations.repository.js';
import { InvitationsService } from './invitations/invitations.service.js';
import { MembershipsService } from './memberships.service.js';
import { MembershipsRepository } from './memberships.repository.js';
import { OrganizationsRepository } from './organizations.repository.js';
import { OrganizationScopeService } from './organization-scope.service.js';
import { OrganizationsService } from './organizations.service.js';

@Module({
  imports: [
    UsersModule,
    AuditPlatformModule.forFeature(ORGANIZATIONS_AUDIT),
    EventsModule.forFeature(ORGANIZATIONS_EVENTS),
    MailModule.forFeature(ORGANIZATIONS_MAIL),
  ],
  providers: [
    OrganizationsService,
    OrganizationScopeService,
    OrganizationsRepository,
    MembershipsService,
    MembershipsRepository,
    InvitationsService,
    InvitationRevocationService,
    InvitationMailer,
    InvitationsRepository,
    INVITATIONS_PURGE,
    INVITATIONS_ADOPTION,
  ],
  exports: [
    OrganizationsService,
    OrganizationScopeService,
    MembershipsService,
    InvitationsService,
    InvitationsRepository,
  ],
})
export class OrganizationsModule implements OnModuleInit {
  constructor(
    private readonly resolvers: ResourceResolverRegistry,
    private readonly memberships: MembershipsService,
    private readonly invitations: InvitationRevocationService,
    private readonly standing: AccountStandingService,
  ) {}

  onModuleInit(): void {
    this.standing.onDeletion((userIds) => this.memberships.refusalsOf(userIds));
    this.standing.onEnd((userIds) => this.memberships.recordLeftWithoutOwner(userIds));
    this.standing.onEnd((userIds) => this.invitations.revokeSentBy(userIds));
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
