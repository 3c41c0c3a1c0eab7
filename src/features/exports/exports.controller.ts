import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { ForbiddenError, ResourceNotFoundError } from '../../platform/auth/auth.errors.js';
import { Authorize, CurrentUser } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { directivesOf } from '../../platform/cache/cache-directives.js';
import { goneSignal } from '../../platform/http/gone-signal.js';
import { ExtraTimeToWait } from '../../platform/http/admission/extra-time.decorator.js';
import { onceAnswered } from '../../platform/http/once-answered.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { PreferredWait } from '../../platform/http/prefer.decorator.js';
import { InvalidPreferError } from '../../platform/http/prefer.errors.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../shared/cursor.js';
import { ExportDto, ExportPageDto, toExportDto, toExportPageDto } from './exports.dto.js';
import { ExportEndedError, ExportNotFoundError, InvalidExportError, TooManyExportsError } from './exports.errors.js';
import { RequestExportDto, toExportRequest } from './requests/export-request.dto.js';
import { ExportsService } from './exports.service.js';
import { hasEnded } from './exports.types.js';

@ApiTags('Exports')
@Controller('exports')
export class ExportsController {
  constructor(private readonly exports: ExportsService) {}

  /**
   * Ask for an export. A worker makes its file; follow its state at `Location`, or by `export_progress` on a socket. A mail comes
   * at the end, unless you have turned mails off. Logs end with what was committed when you asked; the rest shows one moment,
   * `snapshotAt`. A `usage_report` or `device_report` that you asked for in the last five minutes is answered again, unless
   * `Cache-Control` says how old it may be (`max-age=0`: make a new one). 10 an hour for each person.
   */
  @Post()
  @Authorize()
  @Audit('export_requested')
  @RateLimit('exports')
  @Idempotent()
  @ExtraTimeToWait()
  @HttpCode(202)
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description:
      'RFC 7240: how many seconds to wait for the end, at most 30. Up to 5,000 rows take a moment. A malformed `wait` is 400 `invalid_prefer`.',
    schema: { type: 'string', example: 'wait=10' },
  })
  @ApiResponse({ status: 200, type: ExportDto, description: 'It has ended: within the preferred wait, or before.' })
  @ApiResponse({ status: 202, type: ExportDto, description: 'Accepted; follow `Location`.' })
  @ApiResponse({ status: 403, description: '`users` and `audit` take the role `ADMIN`.' })
  @Refuses(
    InvalidExportError,
    InvalidPreferError,
    TooManyExportsError,
    new ForbiddenError('admin'),
    new ResourceNotFoundError('device'),
  )
  async request(
    @CurrentUser() { userId }: Principal,
    @Body() body: RequestExportDto,
    @PreferredWait() waitMs: number | undefined,
    @Headers('cache-control') cacheControl: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ExportDto> {
    const { isBypassed, maxAgeMs } = directivesOf(cacheControl);
    const options = { waitMs, maxAgeMs: isBypassed ? 0 : maxAgeMs, gone: goneSignal(reply) };
    const made = await this.exports.request(userId, toExportRequest(body), options);
    void reply.header('Location', `/api/v1/exports/${made.id}`);
    if (hasEnded(made.state)) {
      void reply.status(200);
      onceAnswered(reply, () => {
        // Where that cannot be said, a mail comes as well.
        this.exports.answered(made.id).catch(() => undefined);
      });
    }
    return toExportDto(made);
  }

  /** My exports, newest first. */
  @Get()
  @Authorize()
  @Refuses(InvalidCursorError)
  async list(@CurrentUser() { userId }: Principal, @Query() { limit, cursor }: PageQueryDto): Promise<ExportPageDto> {
    return toExportPageDto(await this.exports.list(userId, limit, cursor));
  }

  /** An export of mine: its state, how far it is, and its file's size and checksum. */
  @Get(':exportId')
  @Authorize()
  @Refuses(ExportNotFoundError)
  async get(@CurrentUser() { userId }: Principal, @Param('exportId') id: string): Promise<ExportDto> {
    return toExportDto(await this.exports.get(userId, id));
  }

  /** Cancel an export that has not ended. What is written of its file is deleted. */
  @Post(':exportId/cancel')
  @Authorize()
  @Audit('export_cancelled')
  @Idempotent()
  @HttpCode(200)
  @Refuses(ExportNotFoundError, ExportEndedError)
  async cancel(@CurrentUser() { userId }: Principal, @Param('exportId') id: string): Promise<ExportDto> {
    return toExportDto(await this.exports.cancel(userId, id));
  }

  /** Delete an export with its file. One that is under way is cancelled. */
  @Delete(':exportId')
  @Authorize()
  @Audit('export_deleted')
  @HttpCode(204)
  @Refuses(ExportNotFoundError)
  async remove(@CurrentUser() { userId }: Principal, @Param('exportId') id: string): Promise<void> {
    await this.exports.remove(userId, id);
  }
}
