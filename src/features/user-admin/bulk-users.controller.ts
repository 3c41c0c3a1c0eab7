import { Body, Controller, Delete, HttpCode, HttpStatus, Post, Query } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { ExtraTime, LONGEST_EXTRA_TIME_MS } from '../../platform/http/admission/extra-time.decorator.js';
import { BodyLimit } from '../../platform/http/bodies/body-limit.decorator.js';
import { CsvOrJson } from '../../platform/http/bodies/csv-body.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import {
  BatchResultDto,
  CreateAccountsDto,
  DeleteAccountsDto,
  ImportQueryDto,
  ImportResultDto,
  toBatchResultDto,
  toImportResultDto,
} from './bulk-users.dto.js';
import { BulkUsersService } from './bulk-users.service.js';
import { NewAccountDto } from './user-admin.dto.js';
import { UsersImportService } from './users-import.service.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { BatchRefusedError, ImportRefusedError, UnreadableImportError } from './user-admin.errors.js';

const BODY_LIMIT_BYTES = 1_048_576;
const CSV_EXAMPLE = 'email,username,displayName,role\ngrace@example.com,grace,Grace Hopper,USER\n';

@ApiTags('User management')
@Controller('users')
@RateLimit('admin')
export class BulkUsersController {
  constructor(
    private readonly users: BulkUsersService,
    private readonly imports: UsersImportService,
  ) {}

  /**
   * Create up to 1,000 accounts. Their owners get mails with links to choose a password. With `per_row`, a row that is no
   * account is refused by itself (`invalid_row`); with `all`, it answers 400.
   */
  @Post('bulk')
  @HttpCode(HttpStatus.OK)
  @BodyLimit(BODY_LIMIT_BYTES)
  @ExtraTime(LONGEST_EXTRA_TIME_MS)
  @Authorize('admin')
  @Audit('users_created')
  @Idempotent()
  @Refuses(BatchRefusedError)
  async create(@Body() { users, mode }: CreateAccountsDto, @CurrentUser() admin: Principal): Promise<BatchResultDto> {
    return toBatchResultDto(await this.users.create(users, mode, admin));
  }

  /** Delete up to 1,000 accounts: their sessions end at once. They can be restored. */
  @Delete('bulk')
  @BodyLimit(BODY_LIMIT_BYTES)
  @ExtraTime(LONGEST_EXTRA_TIME_MS)
  @Authorize('admin')
  @Audit('users_deleted')
  @Refuses(BatchRefusedError)
  async delete(@Body() { ids, mode }: DeleteAccountsDto, @CurrentUser() admin: Principal): Promise<BatchResultDto> {
    return toBatchResultDto(await this.users.delete(ids, mode, admin));
  }

  /**
   * Create up to 1,000 accounts from a file: CSV whose first line names the columns (`email`, `username`,
   * `displayName`, `role`), or JSON. CSV is UTF-8, or UTF-16 with a byte order mark; its cells are separated by commas,
   * semicolons or tabs. Rows may be short, blank ones are skipped, and spaces around values are no part of them. With
   * `dryRun`, it only says what would happen.
   */
  @Post('import')
  @HttpCode(HttpStatus.OK)
  @CsvOrJson(BODY_LIMIT_BYTES, CSV_EXAMPLE)
  @ExtraTime(LONGEST_EXTRA_TIME_MS)
  @Authorize('admin')
  @Audit('users_imported')
  @Idempotent()
  @ApiExtraModels(NewAccountDto)
  @ApiBody({
    schema: {
      type: 'object',
      required: ['users'],
      properties: {
        users: { type: 'array', maxItems: 1_000, items: { $ref: '#/components/schemas/NewAccountDto' } },
      },
    },
  })
  @Refuses(ImportRefusedError, UnreadableImportError)
  async import(
    @Body() file: unknown,
    @Query() { dryRun = false, mode }: ImportQueryDto,
    @CurrentUser() admin: Principal,
  ): Promise<ImportResultDto> {
    return toImportResultDto(await this.imports.run(file, { dryRun, mode, admin }));
  }
}
