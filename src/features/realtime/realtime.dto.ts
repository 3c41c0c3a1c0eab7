import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type {
  ControlMessages,
  DashboardHandshake,
  EventFrame,
  FeedMessage,
  FrameColumn,
  SocketProblem,
} from '../../contracts/realtime.js';
import type { DeviceHeartbeat } from '../../contracts/devices.js';
import type { EventType } from '../../contracts/events.js';
import type { SessionEnd } from '../../contracts/sessions.js';
import { FieldErrorDto } from '../../platform/http/problems/problem.dto.js';
import { ExportNewsDto } from '../exports/exports.dto.js';
import { DashboardHandshakeDto } from './dashboard-handshake.dto.js';
import type { Documented } from '../../shared/documented.js';

/** A value for each event, or the one that they share. */
const COLUMN = {
  oneOf: [{ type: 'array', items: {} }, { type: 'string' }, { type: 'number' }, { type: 'null' }],
} as object;

/** Several log entries, column by column: docs/realtime.md has the decoder, and the client package uses one by itself. */
export class EventFrameDto implements EventFrame {
  /**
   * `generation.xid.id`.
   * @example 0f8a2c.12345.6789
   */
  from!: string;

  /**
   * Milliseconds since 1970.
   * @example 1763661600120
   */
  since!: number;

  @ApiProperty(COLUMN)
  xid!: FrameColumn<number>;

  @ApiProperty(COLUMN)
  id!: FrameColumn<number>;

  @ApiProperty(COLUMN)
  cursor!: FrameColumn<string | 0>;

  @ApiProperty(COLUMN)
  type!: FrameColumn<number>;

  @ApiProperty(COLUMN)
  device!: FrameColumn<number | null>;

  @ApiProperty(COLUMN)
  command!: FrameColumn<number | null>;

  @ApiProperty(COLUMN)
  actor!: FrameColumn<string | number>;

  @ApiProperty(COLUMN)
  received!: FrameColumn<string | number>;

  @ApiProperty(COLUMN)
  occurred!: FrameColumn<string | number>;

  @ApiProperty(COLUMN)
  version!: FrameColumn<number>;

  /** One row for each event. */
  @ApiProperty({ type: 'array', items: { type: 'array', items: {} } })
  payload!: readonly (readonly unknown[])[];

  @ApiProperty({ type: [String], example: ['device_status:device_updated'] })
  types!: readonly string[];

  @ApiProperty({ type: 'array', items: { type: 'array', items: { type: 'string' } }, example: [['changed']] })
  shapes!: readonly (readonly string[])[];

  @ApiProperty({ type: [String], example: ['AZqfPmsafESdDi9vOhuMVQ'] })
  ids!: readonly string[];
}

/** A log entry, as dashboards get it. */
export class FeedMessageDto {
  /**
   * Place in the log: the same in REST and on sockets. Send the last one as `lastCursor` when you connect again.
   * @example MS4xMjM0NS42Nzg5
   */
  cursor!: string;

  /** @example 4711 */
  id!: string;

  /** What happened. It decides what `payload` has. */
  type!: EventType;

  payload!: object;

  /**
   * Null where it is about no device.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  deviceId!: string | null;

  /**
   * The command it belongs to.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c99
   */
  commandId!: string | null;

  /**
   * Who caused it: `user:<id>`, `device:<id>`, `anonymous` before a login, or `system`.
   * @example device:019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  actor!: string;

  /**
   * RFC 3339. When it happened, by the account of the device; `receivedAt` where that says nothing plausible.
   * @example 2026-11-20T18:00:00.000Z
   */
  @ApiProperty({ format: 'date-time' })
  occurredAt!: string;

  /**
   * RFC 3339, when it was committed.
   * @example 2026-11-20T18:00:00.120Z
   */
  @ApiProperty({ format: 'date-time' })
  receivedAt!: string;

  /**
   * Version of the command or device that it is about: ignore a message with a lower one than you have.
   * @example 3
   */
  version!: number;
}

/** Read the state again. */
export class ResyncDto {
  /**
   * Where the feed goes on; null: from now.
   * @example MS4xMjM0NS42Nzg5
   */
  cursor!: string | null;

  /**
   * Where it answers `subscribe_device`: too much of this device alone was missed.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  deviceId?: string;
}

/** How a device is. What it did not say is left out. */
export class DeviceHeartbeatDto implements DeviceHeartbeat {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string;

  /**
   * RFC 3339: when it was sent, as far as that is known.
   * @example 2026-11-20T18:00:00.000Z
   */
  @ApiProperty({ format: 'date-time' })
  at!: string;

  /**
   * Milliseconds since the device started.
   * @example 93215
   */
  uptimeMs?: number;

  /**
   * Percent.
   * @example 87
   */
  battery?: number;

  /**
   * dBm.
   * @example -61
   */
  rssi?: number;

  /**
   * Bytes.
   * @example 180224
   */
  freeHeap?: number;
}

/** Until when the connection has a token that counts. */
export class TokenExpiringDto {
  /**
   * RFC 3339.
   * @example 2026-11-20T18:15:00.000Z
   */
  @ApiProperty({ format: 'date-time' })
  expiresAt!: string;
}

/** Why a session is over. */
export class SessionEndedDto {
  /** `expired`: it was not refreshed in time. */
  reason!: SessionEnd;
}

/** A refusal: a problem document (RFC 9457). */
export class SocketProblemDto {
  /**
   * URI of the kind of problem.
   * @example https://api.example.com/problems/invalid_request
   */
  type!: string;

  /**
   * The status in words.
   * @example "Bad Request"
   */
  title!: string;

  /**
   * As the same refusal has over HTTP.
   * @example 400
   */
  status!: number;

  /**
   * What happened this time, for people.
   * @example "The request does not have the documented shape."
   */
  detail!: string;

  /**
   * What happened, for programs: stable, snake_case.
   * @example invalid_request
   */
  code!: string;

  /** Faults by member, where the handshake or the body of a request was at fault. */
  @ApiPropertyOptional({ type: [FieldErrorDto] })
  errors?: readonly FieldErrorDto[];

  /**
   * Why the session is over, where it is.
   * @example logout
   */
  reason?: string;

  /**
   * Seconds until it is worth trying again, where that helps.
   * @example 2
   */
  retryAfter?: number;
}

/** The refusal of a request that was sent without an acknowledgement. */
export class RefusedRequestDto extends SocketProblemDto {
  /**
   * Its name, cut to 64 characters.
   * @example subscribe_device
   */
  request!: string;
}

type ClassesOf<M> = Readonly<Record<keyof M, abstract new () => unknown>>;
type Complete<M, D extends ClassesOf<M>> = {
  readonly [N in keyof M]: Documented<M[N], InstanceType<D[N]>, D[N]>;
};
/** Holds classes against the messages that they document. */
export const documentedBy =
  <M>() =>
  <const D extends ClassesOf<M>>(classes: Complete<M, D> & D): D =>
    classes;

/** The class that documents each message besides the feed. The compiler holds it against the contract. */
export const CONTROL_DTOS = documentedBy<ControlMessages>()({
  resync: ResyncDto,
  events: EventFrameDto,
  device_heartbeat: DeviceHeartbeatDto,
  export_progress: ExportNewsDto,
  token_expiring: TokenExpiringDto,
  session_ended: SessionEndedDto,
  closing: SocketProblemDto,
  problem: RefusedRequestDto,
});

/** The same, of what is part of other messages. */
export const PART_DTOS = documentedBy<{ handshake: DashboardHandshake; feed: FeedMessage; problem: SocketProblem }>()({
  handshake: DashboardHandshakeDto,
  feed: FeedMessageDto,
  problem: SocketProblemDto,
});
