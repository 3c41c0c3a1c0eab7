import { Module } from '@nestjs/common';
import { BlockedIpsService } from './blocked-ips.service.js';

/** IP addresses that are refused for a while, for administrators. */
@Module({
  imports: [],
  providers: [BlockedIpsService],
  exports: [BlockedIpsService],
})
export class BlockedIpsModule {}
