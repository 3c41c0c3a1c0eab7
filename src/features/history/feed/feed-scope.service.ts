import { Injectable } from '@nestjs/common';
import type { EventScope } from '../../../contracts/events.js';
import { AuditReadWriter } from '../../../platform/audit/audit-read-writer.js';
import { ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { MembershipsService } from '../../organizations/memberships.service.js';
import { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import { ADMIN_EVENTS } from './feed-scope.types.js';

/** What a person follows. Who follows what belongs to others leaves an entry in the audit trail first. */
@Injectable()
export class FeedScopeService {
  constructor(
    private readonly access: DeviceAccessService,
    private readonly memberships: MembershipsService,
    private readonly reads: AuditReadWriter,
  ) {}

  /**
   * Their own devices, those of their organizations, and `deviceIds`, which are shared with them.
   * @throws ResourceNotFoundError for a device that they may not see
   */
  async scopeOf({ userId, role }: Principal, deviceIds: readonly string[] = []): Promise<EventScope> {
    const [devices, organizationIds] = await Promise.all([
      Promise.all(deviceIds.map((id) => this.access.resolve(userId, id))),
      this.memberships.organizationsOf(userId),
    ]);
    const shared = new Set<string>();
    for (const device of devices) {
      if (!device) {
        throw new ResourceNotFoundError('device');
      }
      if (!device.owned) {
        shared.add(device.id);
      }
    }
    // What is recorded at one moment shares a statement.
    await Promise.all([
      ...[...shared].map((id) => this.reads.record('device_watched', { type: 'device', id })),
      ...organizationIds.map((id) => this.reads.record('organization_watched', { type: 'organization', id })),
    ]);
    return { userId, organizationIds, deviceIds: [...shared], types: role === 'ADMIN' ? ADMIN_EVENTS : [] };
  }
}
