import { applyDecorators } from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { AreDeviceIds } from '../../history/list/event-list.dto.js';

const MAX_CURSOR = 512;

function IsCursor(): PropertyDecorator {
  return applyDecorators(IfGiven(), IsString(), MaxLength(MAX_CURSOR));
}

export class EventStreamQueryDto {
  /**
   * The cursor from which to go on, of any channel: the events after it are sent first. Left out or empty: from now on. A
   * client that comes back sends it as the header `Last-Event-ID`, which counts in place of this.
   * @example MS4xMjM0NS42Nzg5
   */
  @IsCursor()
  @OftenCalled('cursor', 'since', 'from')
  after?: string;

  /**
   * The same, by the name that clients without headers use. It counts in place of `after`.
   * @example MS4xMjM0NS42Nzg5
   */
  @IsCursor()
  lastEventId?: string;

  /** Devices that are shared with me, besides mine and those of my organizations; repeat the parameter for several. */
  @AreDeviceIds()
  @OftenCalled('device', 'devices', 'deviceIds')
  deviceId?: string[];

  /**
   * In place of an access token, which pages cannot send here: `POST /events/tickets`.
   * @example nS0Qd4ZcX2m9sJqf3bY1wRk7uTLh8VvEoPaKz5GiM6c.q1XvZ0pYk3sWb8nRt2uLdA
   */
  @IfGiven()
  @IsString()
  @MaxLength(200)
  ticket?: string;
}

/** A ticket, which opens one event stream. */
export class TicketDto {
  /**
   * Pass it as `ticket` to `GET /events/stream`.
   * @example nS0Qd4ZcX2m9sJqf3bY1wRk7uTLh8VvEoPaKz5GiM6c.q1XvZ0pYk3sWb8nRt2uLdA
   */
  ticket!: string;

  /**
   * Seconds in which it must be used.
   * @example 30
   */
  expiresIn!: number;
}
