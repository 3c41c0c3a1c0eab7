import { Readable } from 'node:stream';
import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { ExtraTime } from '../../platform/http/admission/extra-time.decorator.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { UserDirectoryService } from '../users/user-directory.service.js';
import { ExportUsersQueryDto } from './user-directory.dto.js';
import { exported } from './users-export.js';

/** It is sent while it is read, as fast as its client takes it. */
const EXPORT_TIME_MS = 600_000;
const MEDIA_TYPES = { csv: 'text/csv; charset=utf-8; header=present', json: 'application/json; charset=utf-8' };

@ApiTags('User management')
@Controller('users/export')
@RateLimit('exports')
export class UsersExportController {
  constructor(private readonly directory: UserDirectoryService) {}

  /**
   * All accounts that match, as a file. It is streamed, in the order of their ids. In CSV, what a spreadsheet of any
   * region would run as a formula, at the begin of a cell or within it, gets an apostrophe in front.
   */
  @Get()
  @ExtraTime(EXPORT_TIME_MS)
  @Authorize('admin')
  @Audit('users_exported')
  @ApiResponse({
    status: 200,
    description: 'The file.',
    content: {
      'text/csv': { schema: { type: 'string' } },
      'application/json': { schema: { type: 'array', items: { $ref: '#/components/schemas/ManagedUserDto' } } },
    },
  })
  async export(@Query() { format, ...filter }: ExportUsersQueryDto): Promise<StreamableFile> {
    const batches = await this.directory.export(filter, format);
    return new StreamableFile(Readable.from(exported(batches, format), { objectMode: false }), {
      type: MEDIA_TYPES[format],
      disposition: `attachment; filename="users.${format}"`,
    });
  }
}
