import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';

export class StatsStreamQueryDto {
  /**
   * In place of an access token, which pages cannot send here: `POST /events/tickets`.
   * @example nS0Qd4ZcX2m9sJqf3bY1wRk7uTLh8VvEoPaKz5GiM6c.q1XvZ0pYk3sWb8nRt2uLdA
   */
  @IfGiven()
  @IsString()
  @MaxLength(200)
  ticket?: string;
}

/** Clients of this process. */
export class LiveConnectionsDto {
  /**
   * Dashboards on a socket.
   * @example 412
   */
  sockets!: number;

  /**
   * Event streams.
   * @example 57
   */
  streams!: number;

  /**
   * Requests that poll and wait.
   * @example 3
   */
  waiting!: number;
}

/** Connections of devices of the whole installation, some seconds old. */
export class LiveLinksDto {
  /** @example 930 */
  mqtt!: number;

  /** @example 12 */
  websocket!: number;

  /** @example 8 */
  http!: number;
}

/** In the last second. */
export class LiveRatesDto {
  /**
   * Events that reached this process, of the whole installation.
   * @example 31.4
   */
  events!: number;

  /**
   * Commands that were given, of the whole installation.
   * @example 2.1
   */
  commands!: number;

  /**
   * Events that this process sent, each as often as there are people who heard it.
   * @example 44.8
   */
  deliveries!: number;

  /**
   * Heartbeats of devices that were written, of the whole installation: over MQTT, sockets and HTTP, the newest of each
   * device in a second.
   * @example 31
   */
  heartbeats!: number;

  /**
   * What this process refused: by a rate limit, because of too much work, or because there are as many connections, streams,
   * messages or requests that wait as there may be. What devices are refused on lines of their own is not counted here.
   * @example 0
   */
  refusals!: number;
}

export class LiveFeedStateDto {
  /**
   * Age of the oldest committed event that has not reached this process; looked at every two seconds.
   * @example 0
   */
  lagSeconds!: number;

  /**
   * Events that have, and wait to be sent.
   * @example 0
   */
  backlog!: number;
}

/** What is live in the process that answers. */
export class RealtimeStatsDto {
  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  at!: string;

  connections!: LiveConnectionsDto;

  /** Null while PostgreSQL does not say. */
  @ApiProperty({ type: LiveLinksDto, nullable: true })
  devices!: LiveLinksDto | null;

  perSecond!: LiveRatesDto;

  feed!: LiveFeedStateDto;
}
