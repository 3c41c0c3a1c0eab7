import { Type, type TypeHelpOptions } from 'class-transformer';
import { IsIn, IsObject, ValidateIf, ValidateNested } from 'class-validator';
import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import {
  COMMAND_CONFIRMATIONS,
  COMMAND_LANES,
  COMMAND_NAMES,
  COMMAND_STATES,
  type CommandConfirmation,
  type CommandLane,
  type CommandName,
  type CommandState,
} from '../../contracts/commands.js';
import { IfGiven } from '../../platform/http/members/if-given.js';
import { type Page } from '../../shared/paging.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { type Command, type CommandRequest } from './commands.types.js';
import {
  FirmwareUpdatePayloadDto,
  payloadClassOf,
  RequestSnapshotPayloadDto,
  UnlockDoorPayloadDto,
} from './command-payloads.dto.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

/** A command to a device. */
@ApiExtraModels(UnlockDoorPayloadDto, RequestSnapshotPayloadDto, FirmwareUpdatePayloadDto)
export class SendCommandDto {
  /** What to do. `lock_door` and `unlock_door` move the bolt of a `door_lock`. Some take more than `control`: see the route. */
  @ApiProperty({ enum: COMMAND_NAMES, example: 'unlock_door' })
  @IsIn(COMMAND_NAMES)
  @OftenCalled('command', 'action', 'type', 'commandName')
  name!: CommandName;

  /** The members depend on `name`; only `firmware_update` requires a payload. Unknown members are refused. */
  @ApiPropertyOptional({
    anyOf: [UnlockDoorPayloadDto, RequestSnapshotPayloadDto, FirmwareUpdatePayloadDto].map((payload) => ({
      $ref: getSchemaPath(payload),
    })),
    example: { durationMs: 5000 },
  })
  @ValidateIf((body: SendCommandDto) => body.payload !== undefined || body.name === 'firmware_update')
  @Type((options?: TypeHelpOptions) => payloadClassOf(options?.object.name))
  @IsObject()
  @ValidateNested()
  @OftenCalled('params', 'parameters', 'args', 'data', 'options')
  payload?: object;
}

/** The validated body as a service takes it. */
export function toCommandRequest({ name, payload }: SendCommandDto): CommandRequest {
  // The class that validated `payload` belongs to `name`.
  return { name, payload: payload ?? {} } as CommandRequest;
}

/** Which commands to list. */
export class CommandQueryDto extends PageQueryDto {
  /** Only commands in this state. */
  @ApiPropertyOptional({ enum: COMMAND_STATES, example: 'EXECUTED' })
  @IfGiven()
  @IsIn(COMMAND_STATES)
  @OftenCalled('status')
  state?: CommandState;

  /** Only commands of this name. */
  @ApiPropertyOptional({ enum: COMMAND_NAMES, example: 'unlock_door' })
  @IfGiven()
  @IsIn(COMMAND_NAMES)
  @OftenCalled('command', 'type')
  name?: CommandName;
}

/** The verdict of a device that came after TIMED_OUT. */
export class LateResultDto {
  /** @example failed */
  @ApiProperty({ enum: ['executed', 'failed'] })
  status!: 'executed' | 'failed';

  /** What the device added to it. */
  result?: Record<string, unknown>;

  /** @example jammed */
  errorCode?: string;

  /** @example "The bolt did not reach its end position." */
  errorMessage?: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:16.204Z
   */
  receivedAt!: string;
}

/** A command and its outcome. Terminal states (EXECUTED, FAILED, TIMED_OUT, EXPIRED, CANCELLED) never change. */
export class CommandDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  id!: string;

  /** @example 019a9f3e-2c10-7a01-8f52-90d1c3a7b6e4 */
  deviceId!: string;

  /**
   * The user who gave it; null once the account is deleted.
   * @example 019a9f3d-77aa-7d10-b7b0-5c1f0d2e9a31
   */
  issuerId!: string | null;

  @ApiProperty({ enum: COMMAND_NAMES, example: 'unlock_door' })
  name!: CommandName;

  /** The payload of the request. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { durationMs: 5000 } })
  payload!: Record<string, unknown>;

  /** One command per device and lane is in flight at a time. */
  @ApiProperty({ enum: COMMAND_LANES, example: 'bolt' })
  lane!: CommandLane;

  /** QUEUED until it is sent, SENT until the device itself answers; a broker's receipt does not count. */
  @ApiProperty({ enum: COMMAND_STATES, example: 'EXECUTED' })
  state!: CommandState;

  /**
   * What confirms that it happened: the device's verdict (`ack`), which mostly comes first; `state_report` once it has also reported the
   * new state, without a change of `state`; or nothing (`none`).
   */
  @ApiProperty({ enum: COMMAND_CONFIRMATIONS, example: 'state_report' })
  confirmedBy!: CommandConfirmation;

  /**
   * How often the order was sent, each time with the same bytes.
   * @example 1
   */
  attempts!: number;

  /** What the device added to its verdict. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { movedMs: 412 } })
  result!: Record<string, unknown> | null;

  /**
   * Why it failed (the device's own code), expired (`deadline`, `permission_revoked`, `uptime_fell`, `restored`) or timed
   * out (`device_restarted`, `restored`); null otherwise.
   */
  @ApiProperty({ example: null })
  errorCode!: string | null;

  /** What the device says of it, such as "The bolt met resistance." */
  @ApiProperty({ example: null })
  errorMessage!: string | null;

  /** The verdict that came after TIMED_OUT. */
  @ApiProperty({ type: LateResultDto, nullable: true, example: null })
  lateResult!: Readonly<LateResultDto> | null;

  /**
   * After it, the command is not sent any more. RFC 3339, as all times here.
   * @example 2026-11-20T18:00:15.000Z
   */
  expiresAt!: string;

  /** @example 2026-11-20T18:00:00.000Z */
  createdAt!: string;

  /** @example 2026-11-20T18:00:00.004Z */
  sentAt!: string | null;

  /**
   * When the first ack of the device arrived.
   * @example 2026-11-20T18:00:00.021Z
   */
  receivedAt!: string | null;

  /**
   * When it reached a terminal state.
   * @example 2026-11-20T18:00:00.450Z
   */
  finishedAt!: string | null;

  /**
   * Grows with every change; also in its events.
   * @example 5
   */
  version!: number;
}

/** Commands of a device, newest first. */
export class CommandPageDto {
  @ApiProperty({ type: [CommandDto] })
  items!: Readonly<CommandDto>[];

  /**
   * Pass it as `cursor` for the next page; null on the last page.
   * @example WyJjb21tYW5kcyIsIjIwMjYtMTEtMjBUMTg6MDA6MDAuMDAwWiIsIjAxOWE5ZjNlLTZiMWEtN2M0NC05ZDBlLTJmNmYzYTFiOGM1NSJd
   */
  nextCursor!: string | null;
}

export function toCommandDto(command: Command): Readonly<CommandDto> {
  return {
    id: command.id,
    deviceId: command.deviceId,
    issuerId: command.issuerId,
    name: command.name,
    payload: command.payload,
    lane: command.lane,
    state: command.state,
    confirmedBy: command.confirmedBy,
    attempts: command.attempts,
    result: command.result,
    errorCode: command.errorCode,
    errorMessage: command.errorMessage,
    lateResult: command.lateResult,
    expiresAt: command.expiresAt.toISOString(),
    createdAt: command.createdAt.toISOString(),
    sentAt: command.sentAt?.toISOString() ?? null,
    receivedAt: command.receivedAt?.toISOString() ?? null,
    finishedAt: command.finishedAt?.toISOString() ?? null,
    version: command.version,
  };
}

export function toCommandPageDto(page: Page<Command>): Readonly<CommandPageDto> {
  return { items: page.items.map(toCommandDto), nextCursor: page.nextCursor };
}
