import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceRef } from '../../../contracts/resources.js';
import { AuditRead } from '../../../platform/audit/audit.decorator.js';
import { ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { Authorize, Target } from '../../../platform/auth/authorize.decorator.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { toShareDto } from '../shares/share-answers.dto.js';
import { AccessCheckService } from './access-check.service.js';
import { DeviceAccessDto, toOrganizationAccessDto } from './access.dto.js';

@RateLimit('device')
@ApiTags('Sharing')
@Controller('devices/:deviceId/access')
export class AccessController {
  constructor(private readonly checks: AccessCheckService) {}

  /** Who can do what with a device: its owner, the roles of its organization, and whom it is shared with. */
  @Get()
  @Authorize('device:admin')
  @AuditRead('device_access_read', 'deviceId')
  async access(@Target() device: DeviceRef): Promise<DeviceAccessDto> {
    const overview = await this.checks.overview(device.id);
    if (!overview) {
      throw new ResourceNotFoundError('device');
    }
    const { holders, shares, at } = overview;
    return {
      owner: { ...holders.owner },
      organization: toOrganizationAccessDto(holders),
      shares: shares.map((share) => toShareDto(share, at)),
    };
  }
}
