import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Authorize } from '../../../platform/auth/authorize.decorator.js';
import { TicketAuthenticator } from '../../../platform/auth/tickets/ticket-authenticator.js';
import { TakesTicket } from '../../../platform/auth/tickets/ticket.decorator.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Streams } from '../../../platform/http/streams/event-stream.decorator.js';
import { answerHead, EventStream } from '../../../platform/http/streams/event-stream.js';
import { TakesNoQuery } from '../../../platform/http/validation/no-query.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { EventStreamService } from '../streams/event-stream.service.js';
import { streamMessage } from '../streams/stream-message.js';
import { TooManyStreamsError } from '../streams/streams.errors.js';
import { RealtimeStatsDto, StatsStreamQueryDto } from './realtime-stats.dto.js';
import { RealtimeStatsService } from './realtime-stats.service.js';

const EXAMPLE = `event: stats
data: {"at":"2026-11-20T18:00:00.000Z","connections":{"sockets":412,"streams":57,"waiting":3},"perSecond":{"events":31.4}}

`;

@ApiTags('Operations')
@RateLimit('admin')
@Controller('realtime/stats')
export class RealtimeStatsController {
  constructor(
    private readonly stats: RealtimeStatsService,
    private readonly streams: EventStreamService,
    private readonly tickets: TicketAuthenticator,
  ) {}

  /** What is live in the process that answers: clients, rates of the last second, and how far the feed is behind. */
  @Get()
  @Authorize('admin')
  @TakesNoQuery()
  once(): Promise<RealtimeStatsDto> {
    return this.stats.current();
  }

  /** The same every second, as server-sent events. */
  @Get('stream')
  @Authorize('admin')
  @TakesTicket()
  @Streams('One event `stats` a second, whose `data` is what `GET /realtime/stats` answers.', EXAMPLE)
  @Refuses(TooManyStreamsError)
  async watch(
    @Query() _query: StatsStreamQueryDto,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (request.method === 'HEAD') {
      answerHead(reply);
      return;
    }
    const holder = await this.tickets.holderOf(request);
    let stream: EventStream | undefined;
    // Before the headers: there may be too many already.
    const end = this.stats.watch((data) => {
      stream?.write(streamMessage('stats', data));
    });
    try {
      stream = this.streams.begin(holder, () => EventStream.open(reply));
      stream.onClose(end);
    } catch (error) {
      end();
      throw error;
    }
  }
}
