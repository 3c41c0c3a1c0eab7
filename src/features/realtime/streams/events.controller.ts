import { Controller, Get, type OnApplicationBootstrap, type OnModuleDestroy, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ResourceNotFoundError } from '../../../platform/auth/auth.errors.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { CursorExpiredError } from '../../../platform/events/event-log.errors.js';
import type { FeedPage } from '../../../platform/events/event-log.js';
import { invalidAfter } from '../../../platform/events/log-position.js';
import { ExtraTimeToWait } from '../../../platform/http/admission/extra-time.decorator.js';
import {
  isUnmodified,
  PAGE_HEADERS,
  type PageState,
  PolledPage,
} from '../../../platform/http/conditional/page-validators.js';
import { PreferredWait } from '../../../platform/http/prefer.decorator.js';
import { InvalidPreferError } from '../../../platform/http/prefer.errors.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { EventPageService } from './event-page.service.js';
import { EventWaiters } from './event-waiters.js';
import { PolledEventsDto, PollEventsQueryDto, toPolledEventsDto } from './events.dto.js';
import { TooManyWaitingError } from './streams.errors.js';

const TAG_LENGTH = 16;

@ApiTags('Live')
@Controller('events')
export class EventsController implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly pages: EventPageService,
    private readonly waiters: EventWaiters,
  ) {}

  onApplicationBootstrap(): void {
    this.waiters.start();
  }

  onModuleDestroy(): void {
    this.waiters.stop();
  }

  /**
   * Read what followed a cursor, oldest first: events of my devices, of those of my organizations, and of those in `deviceId`.
   * Ask again with the `cursor` of the answer: at once while it says `more`, else after a pause, or with `Prefer: wait`.
   */
  @Get()
  @Authorize()
  @ExtraTimeToWait()
  @PolledPage()
  @ApiHeader({
    name: 'Prefer',
    required: false,
    description:
      'RFC 7240: how many seconds to wait until something happens, at most 30. A malformed `wait` is 400 `invalid_prefer`.',
    schema: { type: 'string', example: 'wait=20' },
  })
  @ApiResponse({ status: 200, type: PolledEventsDto, headers: PAGE_HEADERS })
  @Refuses(
    new ResourceNotFoundError('device'),
    invalidAfter(),
    CursorExpiredError,
    InvalidPreferError,
    TooManyWaitingError,
  )
  async poll(
    @CurrentUser() user: Principal,
    @Query() { after, limit, type, deviceId = [] }: PollEventsQueryDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @PreferredWait() waitMs?: number,
  ): Promise<PolledEventsDto | undefined> {
    const hasStart = after !== undefined && after !== '';
    const page = await this.pages.page(user, {
      limit,
      deviceIds: deviceId,
      waitMs: waitMs ?? 0,
      gone: closedSignal(reply),
      ...(hasStart && { after }),
      ...(type !== undefined && { types: type }),
    });
    if (waitMs !== undefined) {
      void reply.header('Preference-Applied', `wait=${String(waitMs / 1_000)}`);
    }
    return isUnmodified(request, reply, stateOf(page, hasStart)) ? undefined : toPolledEventsDto(page);
  }
}

/** Tells that a client has closed its connection. */
function closedSignal({ raw }: FastifyReply): AbortSignal {
  const closed = new AbortController();
  const abort = (): void => {
    closed.abort();
  };
  if (raw.destroyed) {
    abort();
  } else {
    raw.once('close', abort);
  }
  return closed.signal;
}

/**
 * Nothing is one state, wherever it was asked from: a client that goes on with the new cursor has it already. Who asks where the
 * log stands is answered with another cursor whenever it went on: the page that a browser has kept must not stand in for that.
 */
function stateOf({ items, cursor, more, readAt }: FeedPage, hasStart: boolean): PageState {
  const last = items.at(-1);
  const isNothing = hasStart && last === undefined && !more;
  const text = isNothing ? 'nothing' : JSON.stringify([items.map(({ id }) => id), cursor, more]);
  return {
    tag: sha256(text).toString('base64url').slice(0, TAG_LENGTH),
    ...(last && readAt && { last: { atMs: Date.parse(last.receivedAt), readAtMs: readAt.getTime() } }),
    hasMore: more,
  };
}
