import { Module } from '@nestjs/common';
import { AuditController } from '../features/audit/audit.controller.js';
import { UserAdminController } from '../features/user-admin/user-admin.controller.js';
import { BulkUsersController } from '../features/user-admin/bulk-users.controller.js';
import { AccountCredentialsController } from '../features/account/account-credentials.controller.js';
import { AuthController } from '../features/auth/auth.controller.js';
import { BlockedIpsController } from '../features/blocked-ips/blocked-ips.controller.js';
import { JwksController } from '../features/signing-keys/jwks.controller.js';
import { SessionsController } from '../features/auth/sessions/sessions.controller.js';
import { SigningKeysController } from '../features/signing-keys/signing-keys.controller.js';
import { PasswordsController } from '../features/auth/passwords/passwords.controller.js';
import { RegistrationController } from '../features/auth/registration/registration.controller.js';
import { CommandsController } from '../features/commands/commands.controller.js';
import { DevicesController } from '../features/devices/devices.controller.js';
import { OrderKeysController } from '../features/signing-keys/order-keys.controller.js';
import { HistoryController } from '../features/history/history.controller.js';
import { InvitationsController } from '../features/organizations/invitations.controller.js';
import { MembersController } from '../features/organizations/members.controller.js';
import { OrganizationsController } from '../features/organizations/organizations.controller.js';
import { RealtimeGateway } from '../features/realtime/realtime.gateway.js';
import { UserDirectoryController } from '../features/user-admin/user-directory.controller.js';
import { UsersExportController } from '../features/user-admin/users-export.controller.js';
import { AccountController } from '../features/account/account.controller.js';
import { SocketAnswerInterceptor } from '../platform/realtime/socket-answer.interceptor.js';
import { CoreModule } from './core.module.js';

/** Edges for people: HTTP and dashboards' sockets. */
@Module({
  imports: [CoreModule],
  controllers: [
    AuthController,
    BlockedIpsController,
    PasswordsController,
    RegistrationController,
    JwksController,
    SessionsController,
    SigningKeysController,
    AccountController,
    UsersExportController,
    UserDirectoryController,
    AccountCredentialsController,
    UserAdminController,
    BulkUsersController,
    AuditController,
    OrganizationsController,
    MembersController,
    InvitationsController,
    DevicesController,
    OrderKeysController,
    CommandsController,
    HistoryController,
  ],
  providers: [RealtimeGateway, SocketAnswerInterceptor],
})
export class ApiModule {}
