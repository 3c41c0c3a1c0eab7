import { Controller, Get, type OnApplicationBootstrap, type OnModuleDestroy, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { STREAM_MESSAGES } from '../../../contracts/realtime.js';
import { ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { Authorize } from '../../../platform/auth/authorize.decorator.js';
import { TicketAuthenticator } from '../../../platform/auth/tickets/ticket-authenticator.js';
import { TakesTicket } from '../../../platform/auth/tickets/ticket.decorator.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { Streams } from '../../../platform/http/streams/event-stream.decorator.js';
import { answerHead, EventStream } from '../../../platform/http/streams/event-stream.js';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { type BackgroundLoop } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { EventStreamService } from './event-stream.service.js';
import { EventStreamQueryDto } from './event-stream.dto.js';
import { TooManyStreamsError } from './streams.errors.js';

const SESSION_CHECK_MS = 25_000;
/** It asks for one session after another. */
const SESSION_CHECK_WITHIN_MS = 60_000;

const { reset, session_ended, closing } = STREAM_MESSAGES;
const STREAMED =
  'Blocks of lines: `id`, the cursor; `event`, as on sockets; `data`, the message as JSON in one line. Lines that begin with a ' +
  'colon mean nothing. Besides the feed: ' +
  Object.entries({ reset, session_ended, closing })
    .map(([event, says]) => `\`${event}\`. ${says}`)
    .join(' ');
const EXAMPLE = `retry: 3217

id: MS4xMjM0NS42Nzg5
event: door_status_changed
data: {"cursor":"MS4xMjM0NS42Nzg5","id":"4711","type":"door_status_changed","payload":{"lockState":"unlocked"}}

:

`;

@ApiTags('Live')
@Controller('events/stream')
export class EventStreamController implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #sessionCheck: BackgroundLoop;
  readonly #cut: Counter;

  constructor(
    private readonly streams: EventStreamService,
    private readonly tickets: TicketAuthenticator,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    metrics: Metrics,
    logger: PinoLogger,
  ) {
    logger.setContext(EventStreamController.name);
    this.#cut = metrics.counter('mortise_event_streams_cut_total', 'Event streams of clients that read too slowly');
    this.#sessionCheck = loops.create(
      'stream_sessions',
      async () => {
        await streams.endDeadSessions();
        return 'idle';
      },
      {
        idleFromMs: SESSION_CHECK_MS,
        idleMs: SESSION_CHECK_MS,
        retryMs: SESSION_CHECK_MS,
        deadlineMs: SESSION_CHECK_WITHIN_MS,
        onError: (error, failures) => {
          logger[failures === 1 ? 'warn' : 'debug'](
            { err: error },
            'The sessions of event streams could not be checked',
          );
        },
      },
    );
  }

  onApplicationBootstrap(): void {
    this.streams.start();
    this.signals.on('session_revoked', ({ sessionId, reason }) => {
      this.streams.endSession(sessionId, reason);
    });
    this.#sessionCheck.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.streams.stop();
    await this.#sessionCheck.stop();
  }

  /**
   * Follow what happens as it happens, as server-sent events: the messages of sockets, from my devices, those of my
   * organizations, and those in `deviceId`. It ends with my session, or when I read too slowly: then go on from the last `id`.
   */
  @Get()
  @Authorize()
  @TakesTicket()
  @Streams(STREAMED, EXAMPLE)
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The last `id` that the client has; an `EventSource` sends it when it comes back.',
    schema: { type: 'string', example: 'MS4xMjM0NS42Nzg5' },
  })
  @Refuses(new ResourceNotFoundError('device'), TooManyStreamsError)
  async stream(
    @Query() { after, lastEventId, deviceId = [] }: EventStreamQueryDto,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (request.method === 'HEAD') {
      answerHead(reply);
      return;
    }
    const { 'last-event-id': header = '' } = request.headers;
    // An EventSource that comes back asks for the address that it was made with: its header is newer than the address.
    const start = [header, lastEventId, after]
      .map((cursor) => String(cursor ?? '').trim())
      .find((cursor) => cursor !== '');
    const open = (): EventStream =>
      EventStream.open(reply, () => {
        this.#cut.inc();
      });
    await this.streams.open(
      await this.tickets.holderOf(request),
      { deviceIds: deviceId, ...(start !== undefined && { after: start }) },
      open,
    );
  }
}
