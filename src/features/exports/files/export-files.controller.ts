import { Controller, Get, HttpCode, Param, Post, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Public } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { answerFile } from '../../../platform/http/files/file-answer.js';
import { SendsFile } from '../../../platform/http/files/sends-file.decorator.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { SecretAnswer } from '../../../platform/http/secret-answer.decorator.js';
import { ExportLinkDto } from '../exports.dto.js';
import {
  ExportExpiredError,
  ExportNotFoundError,
  ExportNotPermittedError,
  ExportNotReadyError,
  InvalidLinkError,
} from '../exports.errors.js';
import { MEDIA_TYPES } from '../exports.types.js';
import { ExportFilesService } from './export-files.service.js';
import { ExportLinkQueryDto } from './export-link-query.dto.js';

const UNREADABLE = [ExportNotFoundError, ExportNotReadyError, ExportExpiredError, ExportNotPermittedError] as const;

@ApiTags('Exports')
@Controller('exports/:exportId')
export class ExportFilesController {
  constructor(private readonly files: ExportFilesService) {}

  /** The file of an export. A download that was cut off resumes by `Range` and `If-Range`. */
  @Get('download')
  @Authorize()
  @Audit('export_downloaded')
  @SendsFile(Object.values(MEDIA_TYPES))
  @Refuses(...UNREADABLE)
  async download(
    @CurrentUser() { userId }: Principal,
    @Param('exportId') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return answerFile(request, reply, await this.files.open(userId, id));
  }

  /** Make a link to the file, which opens it for five minutes without a session: for a browser, or another program. */
  @Post('link')
  @Authorize()
  @Audit('export_linked')
  @HttpCode(201)
  @SecretAnswer()
  @Refuses(...UNREADABLE)
  async link(@CurrentUser() { userId }: Principal, @Param('exportId') id: string): Promise<ExportLinkDto> {
    const { url, expiresAt } = await this.files.link(userId, id);
    return { url, expiresAt: expiresAt.toISOString() };
  }

  /** The file, for who has a link to it. It is refused once the person who made the link may not see any more what is in it. */
  @Get('file')
  @Public()
  @Audit('export_downloaded')
  @SendsFile(Object.values(MEDIA_TYPES))
  @ApiResponse({
    status: 307,
    description: 'The file is at `Location` for a minute: the S3 server sends it (`STORAGE_S3_LINKS`).',
  })
  @Refuses(InvalidLinkError, ExportNotReadyError, ExportExpiredError, ExportNotPermittedError)
  async file(
    @Param('exportId') id: string,
    @Query() { expires, signature }: ExportLinkQueryDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    const file = await this.files.openByLink(id, expires, signature);
    // A URL is signed for one method.
    const url = request.method === 'GET' ? await file.locate() : null;
    if (url === null) {
      return answerFile(request, reply, file);
    }
    void reply.status(307).headers({ Location: url, 'Cache-Control': 'private, no-store' });
    return undefined;
  }
}
