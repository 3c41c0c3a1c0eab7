import { Module } from '@nestjs/common';
import { BlockedIpsService } from './blocked-ips.service.js';

/** Administration of IP addresses that exceeded a rate limit too often. */
@Module({
  providers: [BlockedIpsService],
  exports: [BlockedIpsService],
})
export class BlockedIpsModule {}
