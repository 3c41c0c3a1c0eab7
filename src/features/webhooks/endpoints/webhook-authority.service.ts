import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../../contracts/resources.js';
import { ForbiddenError, ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { MembershipsService } from '../../organizations/memberships.service.js';
import { OrganizationNotFoundError } from '../../organizations/organizations.errors.js';
import { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import { WebhookNotFoundError } from '../webhooks.errors.js';
import type { WebhookEndpoint, WebhookOwner } from '../webhooks.types.js';
import { WebhooksRepository } from './webhooks.repository.js';

const MANAGERS: readonly OrganizationRole[] = ['OWNER', 'MANAGER'];

/** Who may manage an endpoint: the person whose it is; of an organization, its managers. */
@Injectable()
export class WebhookAuthorityService {
  constructor(
    private readonly endpoints: WebhooksRepository,
    private readonly memberships: MembershipsService,
    private readonly access: DeviceAccessService,
  ) {}

  /**
   * Whose an endpoint will be, or whose are listed.
   * @throws OrganizationNotFoundError for who is no member; ForbiddenError for who is no manager
   */
  async ownerFor(userId: string, organizationId: string | undefined): Promise<WebhookOwner> {
    if (organizationId === undefined) {
      return { userId, organizationId: null };
    }
    if (!(await this.manages(userId, organizationId))) {
      throw new OrganizationNotFoundError(organizationId);
    }
    return { userId: null, organizationId };
  }

  /** @throws WebhookNotFoundError for who sees none of it; ForbiddenError for who is no manager */
  async require(userId: string, endpoint: WebhookEndpoint): Promise<void> {
    const { organizationId } = endpoint;
    const may = organizationId === null ? endpoint.userId === userId : await this.manages(userId, organizationId);
    if (!may) {
      throw new WebhookNotFoundError(endpoint.id);
    }
  }

  /** @throws ResourceNotFoundError when the owner does not see one of these devices */
  async requireDevices({ userId, organizationId }: WebhookOwner, deviceIds: readonly string[]): Promise<void> {
    const seen =
      userId === null
        ? await this.endpoints.countDevicesOf(organizationId, deviceIds)
        : (await this.access.visibilityOf(deviceIds.map((deviceId) => ({ userId, deviceId })))).filter(
            ({ from }) => from < Infinity,
          ).length;
    if (seen < deviceIds.length) {
      throw new ResourceNotFoundError('device');
    }
  }

  /** False for who is no member. @throws ForbiddenError for a member who is no manager */
  private async manages(userId: string, organizationId: string): Promise<boolean> {
    const role = await this.memberships.roleOf(userId, organizationId);
    if (role !== null && !MANAGERS.includes(role)) {
      throw new ForbiddenError('organization:manager');
    }
    return role !== null;
  }
}
