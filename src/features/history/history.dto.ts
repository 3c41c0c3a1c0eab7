import { ApiProperty } from '@nestjs/swagger';
import type { EventSource, EventType, StoredEvent } from '../../contracts/events.js';

/** Something that happened. An event never changes. */
export class EventDto {
  /**
   * Position in the log: the same in REST and on sockets.
   * @example MS4xMjM0NS42Nzg5
   */
  cursor!: string;

  /** @example 4711 */
  id!: string;

  /** @example door_status_changed */
  type!: EventType;

  /**
   * The members depend on the type.
   * @example { "lockState": "locked" }
   */
  payload!: Record<string, unknown>;

  /** @example mqtt */
  source!: EventSource;

  /**
   * Who caused it: `user:<id>`, `device:<id>`, or `system`.
   * @example device:019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  actor!: string;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string | null;

  /** The command it belongs to; null where it is none's. */
  @ApiProperty({ example: null })
  commandId!: string | null;

  /** The request that caused it: its `X-Request-Id`; null where it was none. */
  @ApiProperty({ example: null })
  correlationId!: string | null;

  /**
   * RFC 3339. When it happened: by the uptime of the device, else by its wall clock where that is plausible. Equal to
   * `receivedAt` where neither is known, and for what the device did not report. Pages follow the log, not this time.
   * @example 2026-11-20T18:00:00.000Z
   */
  occurredAt!: string;

  /**
   * RFC 3339, when it was committed.
   * @example 2026-11-20T18:00:00.120Z
   */
  receivedAt!: string;

  /**
   * Version of the command or device that it is about.
   * @example 3
   */
  version!: number;
}

export function toEventDto(event: StoredEvent): Readonly<EventDto> {
  const {
    cursor,
    id,
    type,
    payload,
    source,
    actor,
    deviceId,
    commandId,
    correlationId,
    occurredAt,
    receivedAt,
    version,
  } = event;
  return {
    cursor,
    id,
    type,
    payload: payload as Record<string, unknown>,
    source,
    actor,
    deviceId,
    commandId,
    correlationId,
    occurredAt,
    receivedAt,
    version,
  };
}

/** How far the events of a boot are stored. */
export class EventReceiptDto {
  /**
   * A boot of which the request had events.
   * @example Zb3xQ7kT0pVw9sLr2NcYhA
   */
  boot!: string;

  /**
   * Every event of it up to this one is stored; 0 when none is.
   * @example 17
   */
  seq!: number;
}

/** What a request with events is answered, once they are committed. */
export class EventReceiptsDto {
  /** One for each boot of which the request had events. */
  receipts!: EventReceiptDto[];
}
