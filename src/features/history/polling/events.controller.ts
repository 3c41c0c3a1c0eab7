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
import { InvalidRequestError } from '../../../platform/http/validation/validation.js';
import { InvalidTimeRangeError } from '../history.errors.js';
import { EventsQueryDto, toHistoryQuery } from '../list/event-list.dto.js';
import { EventListService } from '../list/event-list.service.js';
import { EventPageService } from './event-page.service.js';
import { EventWaiters } from './event-waiters.js';
import { PolledEventsDto, toListedEventsDto, toPolledEventsDto } from './events.dto.js';
import { TooManyWaitingError } from './polling.errors.js';

const TAG_LENGTH = 16;
/** What only the history has: with one of these, a request asks for it. */
const OF_HISTORY = ['order', 'actor', 'source', 'commandId', 'from', 'to', 'q', 'fields'] as const;

@ApiTags('Live')
@Controller('events')
export class EventsController implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly pages: EventPageService,
    private readonly lists: EventListService,
    private readonly waiters: EventWaiters,
  ) {}

  onApplicationBootstrap(): void {
    this.waiters.start();
  }

  onModuleDestroy(): void {
    this.waiters.stop();
  }

  /**
   * Read what followed a cursor, oldest first, or the history of all that I see, newest first. With `after`: events of my devices, of
   * those of my organizations, and of those in `deviceId`; ask again with the `cursor` of the answer, at once while it says `more`, else
   * after a pause, or with `Prefer: wait`. Without it, and with one of `order`, `actor`, `source`, `commandId`, `from`, `to`, `q`, `fields`:
   * what happened to the devices that I see now, shared ones as well, since each has its owner, and what else concerns me; `deviceId`
   * leaves only those. Go on with `cursor` until `nextCursor` is null: a page looks through a stretch of the log, so it may be empty and
   * have another behind it. Reading what happened to devices of others is audited.
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
    InvalidTimeRangeError,
    InvalidPreferError,
    TooManyWaitingError,
  )
  async poll(
    @CurrentUser() user: Principal,
    @Query() query: EventsQueryDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @PreferredWait() waitMs?: number,
  ): Promise<PolledEventsDto | undefined> {
    if (asksForHistory(query)) {
      return this.list(user, query, { request, reply });
    }
    const { after, limit, type, deviceId = [] } = query;
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

  /** The history has no time from which a client could tell that it is unchanged: only its tag does. */
  private async list(
    { userId }: Principal,
    query: EventsQueryDto,
    { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  ): Promise<PolledEventsDto | undefined> {
    const { deviceId, fields, order = 'desc' } = query;
    const asked = { ...toHistoryQuery(query, order), ...(deviceId !== undefined && { deviceIds: deviceId }) };
    const found = toListedEventsDto(await this.lists.list(userId, asked), fields);
    return isUnmodified(request, reply, { tag: tagOf(JSON.stringify(found)), hasMore: true }) ? undefined : found;
  }
}

/**
 * Which of the two is asked for. What belongs to the other is refused, and not ignored: a client that polls must not take a page of the
 * history for what followed its cursor.
 * @throws InvalidRequestError
 */
function asksForHistory(query: EventsQueryDto): boolean {
  const member = OF_HISTORY.find((name) => query[name] !== undefined);
  if (query.after !== undefined && member !== undefined) {
    const detail = `\`${member}\` asks for the history, which goes on by \`cursor\`: leave out one of the two`;
    throw new InvalidRequestError([{ detail, pointer: '/after' }]);
  }
  if (query.cursor !== undefined && member === undefined) {
    const detail = 'goes on in the history: say `order` with it, or `after` in its place to poll';
    throw new InvalidRequestError([{ detail, pointer: '/cursor' }]);
  }
  return member !== undefined;
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
    tag: tagOf(text),
    ...(last && readAt && { last: { atMs: Date.parse(last.receivedAt), readAtMs: readAt.getTime() } }),
    hasMore: more,
  };
}

function tagOf(text: string): string {
  return sha256(text).toString('base64url').slice(0, TAG_LENGTH);
}
