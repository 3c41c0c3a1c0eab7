import { accountEdges } from '../features/account/account.edges.js';
import { AccountModule } from '../features/account/account.module.js';
import { analyticsEdges } from '../features/analytics/analytics.edges.js';
import { AnalyticsModule } from '../features/analytics/analytics.module.js';
import { auditEdges } from '../features/audit/audit.edges.js';
import { AuditModule } from '../features/audit/audit.module.js';
import { authEdges } from '../features/auth/auth.edges.js';
import { AuthModule } from '../features/auth/auth.module.js';
import { blockedIpsEdges } from '../features/blocked-ips/blocked-ips.edges.js';
import { BlockedIpsModule } from '../features/blocked-ips/blocked-ips.module.js';
import { commandsEdges } from '../features/commands/commands.edges.js';
import { CommandsModule } from '../features/commands/commands.module.js';
import { deviceSettingsEdges } from '../features/device-settings/device-settings.edges.js';
import { DeviceSettingsModule } from '../features/device-settings/device-settings.module.js';
import { devicesEdges } from '../features/devices/devices.edges.js';
import { DevicesModule } from '../features/devices/devices.module.js';
import { exportsEdges } from '../features/exports/exports.edges.js';
import { ExportsModule } from '../features/exports/exports.module.js';
import { healthEdges } from '../features/health/health.edges.js';
import { HealthModule } from '../features/health/health.module.js';
import { historyEdges } from '../features/history/history.edges.js';
import { HistoryModule } from '../features/history/history.module.js';
import { organizationsEdges } from '../features/organizations/organizations.edges.js';
import { OrganizationsModule } from '../features/organizations/organizations.module.js';
import { presenceEdges } from '../features/presence/presence.edges.js';
import { PresenceModule } from '../features/presence/presence.module.js';
import { problemsEdges } from '../features/problems/problems.edges.js';
import { ProblemsModule } from '../features/problems/problems.module.js';
import { realtimeEdges } from '../features/realtime/realtime.edges.js';
import { RealtimeModule } from '../features/realtime/realtime.module.js';
import { sharingEdges } from '../features/sharing/sharing.edges.js';
import { SharingModule } from '../features/sharing/sharing.module.js';
import { signingKeysEdges } from '../features/signing-keys/signing-keys.edges.js';
import { SigningKeysModule } from '../features/signing-keys/signing-keys.module.js';
import { userAdminEdges } from '../features/user-admin/user-admin.edges.js';
import { UserAdminModule } from '../features/user-admin/user-admin.module.js';
import { UsersModule } from '../features/users/users.module.js';
import { webSecurityEdges } from '../features/web-security/web-security.edges.js';
import { WebSecurityModule } from '../features/web-security/web-security.module.js';
import { webhooksEdges } from '../features/webhooks/webhooks.edges.js';
import { WebhooksModule } from '../features/webhooks/webhooks.module.js';
import type { Feature } from '../platform/roles/feature-edges.js';

/** Every feature, in the order in which each may call those before it. */
export const FEATURES: readonly Feature[] = [
  { module: UsersModule },
  { module: AuthModule, edges: authEdges },
  { module: UserAdminModule, edges: userAdminEdges },
  { module: AccountModule, edges: accountEdges },
  { module: OrganizationsModule, edges: organizationsEdges },
  { module: SigningKeysModule, edges: signingKeysEdges },
  { module: BlockedIpsModule, edges: blockedIpsEdges },
  { module: SharingModule, edges: sharingEdges },
  { module: DevicesModule, edges: devicesEdges },
  { module: PresenceModule, edges: presenceEdges },
  { module: HistoryModule, edges: historyEdges },
  { module: DeviceSettingsModule, edges: deviceSettingsEdges },
  { module: CommandsModule, edges: commandsEdges },
  { module: AnalyticsModule, edges: analyticsEdges },
  { module: ExportsModule, edges: exportsEdges },
  { module: WebhooksModule, edges: webhooksEdges },
  { module: AuditModule, edges: auditEdges },
  { module: RealtimeModule, edges: realtimeEdges },
  { module: ProblemsModule, edges: problemsEdges },
  { module: WebSecurityModule, edges: webSecurityEdges },
  { module: HealthModule, edges: healthEdges },
];
