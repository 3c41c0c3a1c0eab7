import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { AuditPageDto, AuditQueryDto, toAuditEntryDto } from './audit.dto.js';
import { AuditService } from './audit.service.js';

@ApiTags('Audit')
@Controller('audit')
@RateLimit('admin')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  /** Who did what, newest first. Reading this list is audited, too. */
  @Get()
  @Authorize('admin')
  @Audit('audit_read')
  async list(@Query() { limit, cursor, ...filter }: AuditQueryDto): Promise<AuditPageDto> {
    const { items, nextCursor } = await this.audit.list(filter, { limit, cursor });
    return { items: items.map(toAuditEntryDto), nextCursor };
  }
}
