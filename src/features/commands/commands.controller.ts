import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { DeviceRef } from '../../contracts/resources.js';
import { Audit, AuditRead } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Target } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { ExtraTimeToWait } from '../../platform/http/admission/extra-time.decorator.js';
import { Vital } from '../../platform/http/admission/vital.decorator.js';
import { FormerlyAt } from '../../platform/http/routes/formerly-at.decorator.js';
import { PreferredWait } from '../../platform/http/prefer.decorator.js';
import { InvalidPreferError } from '../../platform/http/prefer.errors.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { CommandSubmissionService } from './command-submission.service.js';
import {
  CommandDto,
  CommandPageDto,
  CommandQueryDto,
  SendCommandDto,
  toCommandDto,
  toCommandPageDto,
  toCommandRequest,
} from './commands.dto.js';
import { CommandsService } from './commands.service.js';
import type { Command } from './commands.types.js';
import { isSettled } from './domain/command-machine.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import {
  CommandNotCancellableError,
  CommandNotFoundError,
  CommandNotSupportedError,
  CommandQueueFullError,
  DeviceOfflineError,
  DeviceUptimeFellError,
} from './commands.errors.js';
import { UnlockRestrictedError } from '../users/users.errors.js';
import { InvalidCursorError } from '../../shared/cursor.js';

@ApiTags('Commands')
@RateLimit('device')
@Controller('devices/:deviceId/commands')
export class CommandsController {
  constructor(
    private readonly commands: CommandsService,
    private readonly submissions: CommandSubmissionService,
  ) {}

  /**
   * Send a command to a device. `lock_door`, `unlock_door` and `request_snapshot` need the permission `control`;
   * `restart_device`, `firmware_update` and `sync_access_codes` need `admin`, or are refused with 403. The permission is
   * checked again when the command is sent: one that was taken in between lets it expire. It answers at once with 202, or
   * with the outcome when `Prefer: wait` is given and the command reaches a terminal state in that time. When the device is
   * deleted meanwhile, the wait ends at once with 404. An accepted command survives any crash on our side.
   */
  @Post()
  @FormerlyAt('/command/open')
  @Vital()
  @ExtraTimeToWait()
  @ApiResponse({
    status: 403,
    description: '`restart_device`, `firmware_update` and `sync_access_codes` need `device:admin`.',
  })
  @Authorize('device:control')
  @Audit('command_created')
  @Idempotent({ required: true })
  @RateLimit('device', 'unlock')
  @HttpCode(202)
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description:
      'RFC 7240: how many seconds to wait for the outcome, at most 30. A malformed `wait` is 400 `invalid_prefer`.',
    schema: { type: 'string', example: 'wait=10' },
  })
  @ApiResponse({ status: 200, type: CommandDto, description: 'Settled within the preferred wait.' })
  @ApiResponse({ status: 202, type: CommandDto, description: 'Accepted, in the state it has now; follow `Location`.' })
  @Refuses(
    InvalidPreferError,
    CommandNotSupportedError,
    DeviceOfflineError,
    DeviceUptimeFellError,
    CommandQueueFullError,
    UnlockRestrictedError,
    CommandNotFoundError,
  )
  async send(
    @Target() device: DeviceRef,
    @CurrentUser() issuer: Principal,
    @Body() body: SendCommandDto,
    @PreferredWait() waitMs: number | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CommandDto> {
    const { id: deviceId, permission } = device;
    const submission = { ...toCommandRequest(body), deviceId, permission, issuerId: issuer.userId };
    return answered(reply, await this.submissions.submit(submission, waitMs), waitMs);
  }

  /** Commands of a device, newest first. Reading them is audited, unless I own the device. */
  @Get()
  @Authorize('device:view')
  @AuditRead('device_commands_read', 'deviceId')
  @ApiResponse({ status: 200, type: CommandPageDto })
  @Refuses(InvalidCursorError)
  async list(@Target() device: DeviceRef, @Query() query: CommandQueryDto): Promise<CommandPageDto> {
    const { state, name, ...page } = query;
    return toCommandPageDto(await this.commands.list(device.id, { state, name }, page));
  }

  /** A command and its outcome. Reading it is audited, unless I own the device. */
  @Get(':commandId')
  @Authorize('device:view')
  @AuditRead('device_commands_read', 'deviceId')
  @ApiResponse({ status: 200, type: CommandDto })
  @Refuses(CommandNotFoundError)
  async get(@Target() device: DeviceRef, @Param('commandId') id: string): Promise<CommandDto> {
    return toCommandDto(await this.commands.get(device.id, id));
  }

  /**
   * Cancel a command that was not sent yet. It stays in the list, as CANCELLED. My own commands need the permission
   * `control`, those of others `admin` (403 otherwise).
   */
  @Delete(':commandId')
  @Vital()
  @Authorize('device:control')
  @Audit('command_cancelled')
  @ApiResponse({ status: 200, type: CommandDto })
  @Refuses(CommandNotFoundError, CommandNotCancellableError)
  async cancel(
    @Target() { id: deviceId }: DeviceRef,
    @CurrentUser() { userId }: Principal,
    @Param('commandId') commandId: string,
  ): Promise<CommandDto> {
    return toCommandDto(await this.commands.cancel({ deviceId, commandId, userId }));
  }
}

/** Sets 202 with `Location`; 200 when the caller preferred to wait and the command has settled. */
function answered(reply: FastifyReply, command: Command, waitMs: number | undefined): Readonly<CommandDto> {
  void reply.header('Location', `/api/v1/devices/${command.deviceId}/commands/${command.id}`);
  if (waitMs !== undefined && isSettled(command)) {
    void reply.status(200).header('Preference-Applied', `wait=${String(waitMs / 1_000)}`);
  }
  return toCommandDto(command);
}
