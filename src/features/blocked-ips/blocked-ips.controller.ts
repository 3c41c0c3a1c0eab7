import { Controller, Delete, Get, HttpCode, HttpStatus, Param, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { BlockedIpPageDto, toBlockedIpPageDto } from './blocked-ips.dto.js';
import { BlockedIpsService } from './blocked-ips.service.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { IpNotBlockedError } from './blocked-ips.errors.js';

@ApiTags('Blocked addresses')
@Controller('auth/blocked-addresses')
export class BlockedIpsController {
  constructor(private readonly blockedIps: BlockedIpsService) {}

  /** IP addresses that are refused because they exceeded a rate limit too often. Reading them is audited. */
  @Get()
  @Authorize('admin')
  @Audit('blocked_addresses_read')
  @RateLimit('admin')
  async list(@Query() page: PageQueryDto): Promise<BlockedIpPageDto> {
    return toBlockedIpPageDto(await this.blockedIps.list(page));
  }

  /** Unblock an IP address, however it is spelled. An IPv6 address stands for its /64 network. */
  @Delete(':address')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('address_unblocked')
  @RateLimit('admin')
  @ApiParam({ name: 'address', description: 'As listed or logged, percent-encoded.', example: '2001:db8:1:2::%2F64' })
  @Refuses(IpNotBlockedError)
  lift(@Param('address') address: string): Promise<void> {
    return this.blockedIps.lift(address);
  }
}
