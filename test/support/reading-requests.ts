import type { AuditAction } from '../../src/contracts/audit.js';
import type { OrganizationRole } from '../../src/contracts/resources.js';
import { insertAccount, type InsertedAccount } from './accounts.fixture.js';
import type { OrganizationsFixture } from './organizations.fixture.js';

/** A request that shows what belongs to others. */
export interface ReadingRequest {
  readonly path: string;
  readonly reader: InsertedAccount;
  /** To whom it belongs, where reading it as its owner leaves no entry. */
  readonly owner?: InsertedAccount;
}

interface AuditedRead {
  readonly action: AuditAction;
  /** Whether further reads of a while leave no entry of their own. */
  readonly once: boolean;
  readonly prepare: (fixture: OrganizationsFixture) => Promise<ReadingRequest>;
}

/** A device in an organization, which a member of it reads: an operator unless told otherwise. */
export async function sharedDevice(
  fixture: OrganizationsFixture,
  rest = '',
  role: OrganizationRole = 'OPERATOR',
): Promise<Required<ReadingRequest>> {
  const [owner, reader] = [await fixture.createAccount('owner'), await fixture.createAccount('operator')];
  const organization = await fixture.createOrganization(owner);
  await fixture.addMember(reader, role, organization.id);
  const { id } = await fixture.registerDevice(owner);
  await fixture.request(owner, 'PATCH', `/devices/${id}`, { organizationId: organization.id });
  const order = { name: 'lock_door' };
  const { body } = await fixture.request(owner, 'POST', `/devices/${id}/commands`, order, { 'idempotency-key': id });
  return { path: `/devices/${id}${rest}`.replace('{commandId}', String(body.id)), reader, owner };
}

/** What it takes `admin` to read of a device, asked by one who has it by a share. */
async function ofSharedDevice(fixture: OrganizationsFixture, rest: string): Promise<Required<ReadingRequest>> {
  const [owner, reader] = [await fixture.createAccount('owner'), await fixture.createAccount('tenant')];
  const { id } = await fixture.registerDevice(owner);
  const share = { email: reader.email, permission: 'admin' };
  const { body } = await fixture.request(owner, 'POST', `/devices/${id}/shares`, share, { 'idempotency-key': id });
  return { path: `/devices/${id}${rest}`.replace('{shareId}', String(body.id)), reader, owner };
}

async function ofOrganization(fixture: OrganizationsFixture, rest: string): Promise<ReadingRequest> {
  const reader = await fixture.createAccount('owner');
  const { id } = await fixture.createOrganization(reader);
  return { path: `/organizations/${id}${rest}`, reader };
}

/** The feed with a device that is shared with the reader. */
async function watching(fixture: OrganizationsFixture, path: string): Promise<Required<ReadingRequest>> {
  const asked = await ofSharedDevice(fixture, '');
  return { ...asked, path: `${path}?deviceId=${asked.path.split('/')[2] ?? ''}` };
}

const byAdmin =
  (path: string) =>
  async ({ application }: OrganizationsFixture): Promise<ReadingRequest> => {
    const reader = await insertAccount(application, { name: 'admin', role: 'ADMIN' });
    return { path: path.replace('{userId}', reader.id), reader };
  };

/** Routes that show other people's data, each with a request. */
export const AUDITED_READS: Readonly<Record<string, AuditedRead>> = {
  'GET /api/v1/audit': { action: 'audit_read', once: false, prepare: byAdmin('/audit?limit=1') },
  'GET /api/v1/events': {
    action: 'device_watched',
    once: true,
    prepare: (fixture) => watching(fixture, '/events'),
  },
  'GET /api/v1/events/stream': {
    action: 'device_watched',
    once: true,
    prepare: (fixture) => watching(fixture, '/events/stream'),
  },
  'GET /api/v1/users': { action: 'users_read', once: false, prepare: byAdmin('/users?limit=1') },
  'GET /api/v1/users/export': { action: 'users_exported', once: false, prepare: byAdmin('/users/export?format=json') },
  'GET /api/v1/users/search': { action: 'users_read', once: false, prepare: byAdmin('/users/search?q=person') },
  'GET /api/v1/users/{userId}': { action: 'users_read', once: false, prepare: byAdmin('/users/{userId}') },
  'GET /api/v1/admin/queues/{queue}/dead-letters': {
    action: 'dead_letters_read',
    once: false,
    prepare: byAdmin('/admin/queues/mail/dead-letters'),
  },
  'GET /api/v1/auth/blocked-addresses': {
    action: 'blocked_addresses_read',
    once: false,
    prepare: byAdmin('/auth/blocked-addresses'),
  },
  'GET /api/v1/organizations/{organizationId}/members': {
    action: 'members_read',
    once: true,
    prepare: (fixture) => ofOrganization(fixture, '/members'),
  },
  'GET /api/v1/organizations/{organizationId}/invitations': {
    action: 'invitations_read',
    once: true,
    prepare: (fixture) => ofOrganization(fixture, '/invitations'),
  },
  'GET /api/v1/devices/{deviceId}/diagnostics': {
    action: 'device_diagnostics_read',
    once: true,
    prepare: (fixture) => sharedDevice(fixture, '/diagnostics'),
  },
  'GET /api/v1/devices/{deviceId}/qr': {
    action: 'activation_code_shown',
    once: true,
    prepare: async (fixture) => {
      const { path, reader, owner } = await sharedDevice(fixture, '/qr', 'MANAGER');
      await fixture.request(owner, 'POST', path.replace('/qr', '/activation-code'));
      return { path, reader, owner };
    },
  },
  'GET /api/v1/devices/{deviceId}/events': {
    action: 'device_history_read',
    once: true,
    prepare: (fixture) => sharedDevice(fixture, '/events'),
  },
  'GET /api/v1/analytics/devices/{deviceId}/usage': {
    action: 'device_usage_read',
    once: true,
    prepare: async (fixture) => {
      const { path, ...people } = await sharedDevice(fixture);
      return { ...people, path: `/analytics${path}/usage` };
    },
  },
  'GET /api/v1/analytics/comparison': {
    action: 'device_usage_read',
    once: true,
    prepare: async (fixture) => {
      const { path, reader } = await sharedDevice(fixture);
      const { id } = await fixture.registerDevice(reader);
      return { reader, path: `/analytics/comparison?deviceIds=${path.split('/')[2] ?? ''}&deviceIds=${id}` };
    },
  },
  'GET /api/v1/devices/{deviceId}/commands': {
    action: 'device_commands_read',
    once: true,
    prepare: (fixture) => sharedDevice(fixture, '/commands'),
  },
  'GET /api/v1/devices/{deviceId}/commands/{commandId}': {
    action: 'device_commands_read',
    once: true,
    prepare: (fixture) => sharedDevice(fixture, '/commands/{commandId}'),
  },
  'GET /api/v1/devices/{deviceId}/shares': {
    action: 'device_shares_read',
    once: true,
    prepare: (fixture) => ofSharedDevice(fixture, '/shares'),
  },
  'GET /api/v1/devices/{deviceId}/shares/{shareId}': {
    action: 'device_shares_read',
    once: true,
    prepare: (fixture) => ofSharedDevice(fixture, '/shares/{shareId}'),
  },
  'GET /api/v1/devices/{deviceId}/shares/{shareId}/openings': {
    action: 'device_shares_read',
    once: true,
    prepare: (fixture) => ofSharedDevice(fixture, '/shares/{shareId}/openings'),
  },
  'GET /api/v1/devices/{deviceId}/access': {
    action: 'device_access_read',
    once: true,
    prepare: (fixture) => ofSharedDevice(fixture, '/access'),
  },
};

/** Every other route that reads, with the reason why it leaves no entry. A new one stands here or above. */
export const UNAUDITED_READS: Readonly<Record<string, string>> = {
  'GET /api/health/devices': 'counts of the installation',
  'GET /api/v1/metrics/cache': 'counts of the process that answers',
  'GET /api/v1/admin/queues': 'counts of the installation',
  'GET /api/v1/retention': 'counts of the installation',
  'GET /api/v1/analytics/dashboard': 'counts of what was given to one to use, all together',
  'GET /api/v1/analytics/distribution': 'counts of what was given to one to use, all together',
  'GET /api/v1/analytics/trends': 'counts of what was given to one to use, all together',
  'GET /api/v1/analytics/top-doors': 'counts of what was given to one to use',
  'GET /api/v1/analytics/offline': 'the state of what was given to one to use',
  'GET /api/v1/analytics/live': 'counts of what was given to one to use, all together',
  'GET /api/v1/exports': 'one’s own requests',
  'GET /api/v1/exports/{exportId}': 'one’s own request',
  'GET /api/v1/exports/{exportId}/download': 'audited each time, also by its owner: exports-files.spec.ts',
  'GET /api/v1/exports/{exportId}/file': 'audited each time, also by its owner: exports-files.spec.ts',
  'GET /api/v1/notifications': 'one’s own',
  'GET /api/v1/notifications/unread-count': 'of one’s own',
  'GET /api/v1/notifications/phone': 'one’s own',
  'GET /api/v1/notifications/preferences': 'one’s own',
  'GET /api/v1/notifications/push/services': 'what the installation can do',
  'GET /api/v1/notifications/push/subscriptions': 'one’s own',
  'GET /api/v1/notifications/chat': 'one’s own',
  'GET /api/v1/notifications/mail-suppression': 'of one’s own',
  'GET /api/v1/notifications/{notificationId}/deliveries': 'of one’s own',
  'GET /api/v1/webhooks': 'one’s own, or of an organization that one manages',
  'GET /api/v1/webhooks/{webhookId}': 'the same',
  'GET /api/v1/webhooks/{webhookId}/deliveries': 'the same',
  'GET /api/v1/webhooks/{webhookId}/deliveries/{deliveryId}': 'the same',
  'GET /api/v1/export-schedules': 'one’s own',
  'GET /api/v1/export-schedules/{scheduleId}': 'one’s own',
  'GET /api/v1/realtime/stats': 'counts of the installation',
  'GET /api/v1/realtime/stats/stream': 'counts of the installation',
  'GET /.well-known/jwks.json': 'public keys',
  'GET /.well-known/order-keys.json': 'public keys',
  'GET /.well-known/security.txt': 'where to report a weakness',
  'GET /problems': 'the documentation',
  'GET /problems/{code}': 'the documentation',
  'GET /api/docs': 'the documentation',
  'GET /api/docs-json': 'the documentation',
  'GET /api/docs-yaml': 'the documentation',
  'GET /api/health': 'of the service, of no person',
  'GET /api/health/live': 'of the service, of no person',
  'GET /api/health/ready': 'of the service, of no person',
  'GET /metrics': 'numbers, of no person',
  'GET /api/v1/auth/sessions': 'one’s own',
  'GET /api/v1/auth/signing-keys': 'of the service, of no person',
  'GET /api/v1/users/me': 'one’s own',
  'GET /api/v1/users/me/activity': 'one’s own, and what was done to it',
  'GET /api/v1/users/me/preferences': 'one’s own',
  'GET /api/v1/organizations': 'one’s own memberships',
  'GET /api/v1/organizations/{organizationId}': 'its name, and one’s own role',
  'GET /api/v1/shares': 'what was given to one to use',
  'GET /api/v1/provisioned-devices': 'what one has loaded, of no person',
  'GET /api/v1/devices/transfers': 'what is offered to one',
  'GET /api/v1/devices/{deviceId}/transfer': 'one’s own offer',
  'GET /api/v1/devices': 'the present state of what was given to one to use; what it did is audited',
  'GET /api/v1/devices/stats': 'counts of what was given to one to use',
  'GET /api/v1/devices/{deviceId}/settings': 'how what was given to one to use is set; what it did is audited',
  'GET /api/v1/devices/{deviceId}': 'the present state of what was given to one to use; what it did is audited',
};
