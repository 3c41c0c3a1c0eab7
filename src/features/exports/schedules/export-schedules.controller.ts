import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { ForbiddenError, ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import { ExportScheduleNotFoundError, InvalidExportError, TooManyExportSchedulesError } from '../exports.errors.js';
import {
  CreateExportScheduleDto,
  ExportScheduleDto,
  ExportSchedulePageDto,
  toExportScheduleDto,
  toExportSchedulePageDto,
  toNewSchedule,
} from './export-schedules.dto.js';
import { ExportSchedulesService } from './export-schedules.service.js';

@ApiTags('Exports')
@Controller('export-schedules')
export class ExportSchedulesController {
  constructor(private readonly schedules: ExportSchedulesService) {}

  /**
   * Have an export made every day, week or month, of the one before, by the clock of your zone. Of what was missed while the service was
   * down, the last is made. Each is mailed as any other, and fails with `not_permitted` once you may not have it any more.
   */
  @Post()
  @Authorize()
  @Audit('export_schedule_created')
  @Idempotent()
  @ApiResponse({ status: 403, description: '`users` and `audit` take the role `ADMIN`.' })
  @Refuses(
    InvalidExportError,
    TooManyExportSchedulesError,
    new ForbiddenError('admin'),
    new ResourceNotFoundError('device'),
  )
  async create(
    @CurrentUser() { userId }: Principal,
    @Body() body: CreateExportScheduleDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ExportScheduleDto> {
    const schedule = await this.schedules.create(userId, toNewSchedule(body));
    void reply.header('Location', `/api/v1/export-schedules/${schedule.id}`);
    return toExportScheduleDto(schedule);
  }

  /** My schedules, newest first. */
  @Get()
  @Authorize()
  @Refuses(InvalidCursorError)
  async list(
    @CurrentUser() { userId }: Principal,
    @Query() { limit, cursor }: PageQueryDto,
  ): Promise<ExportSchedulePageDto> {
    return toExportSchedulePageDto(await this.schedules.list(userId, limit, cursor));
  }

  /** A schedule of mine. */
  @Get(':scheduleId')
  @Authorize()
  @Refuses(ExportScheduleNotFoundError)
  async get(@CurrentUser() { userId }: Principal, @Param('scheduleId') id: string): Promise<ExportScheduleDto> {
    return toExportScheduleDto(await this.schedules.get(userId, id));
  }

  /** End a schedule. The exports that it has made stay. */
  @Delete(':scheduleId')
  @Authorize()
  @Audit('export_schedule_deleted')
  @HttpCode(204)
  @Refuses(ExportScheduleNotFoundError)
  async remove(@CurrentUser() { userId }: Principal, @Param('scheduleId') id: string): Promise<void> {
    await this.schedules.remove(userId, id);
  }
}
