import { Injectable } from '@nestjs/common';
import type { EventScope, EventType } from '../../../contracts/events.js';
import { sessionEnded } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { SessionVerifier } from '../../../platform/auth/session-verifier.js';
import { EventLog, type FeedPage } from '../../../platform/events/event-log.js';
import { FeedAccessService } from '../feed/feed-access.service.js';
import { FeedScopeService } from '../feed/feed-scope.service.js';
import { EventWaiters } from './event-waiters.js';

/** Who is woken for nothing is not woken again for so long: the first time, and at most. */
const REST_MS = { first: 200, longest: 2_000 };

/** What a person asks for, and for how long they would wait for it. */
export interface PageWish {
  readonly after?: string;
  readonly limit: number;
  readonly types?: readonly EventType[];
  readonly deviceIds: readonly string[];
  readonly waitMs: number;
  /** Its client has closed the connection. */
  readonly gone: AbortSignal;
}

/** Reads pages of the feed for people who ask again and again. All events of a page are judged by one question. */
@Injectable()
export class EventPageService {
  constructor(
    private readonly log: EventLog,
    private readonly scopes: FeedScopeService,
    private readonly authorizer: FeedAccessService,
    private readonly waiters: EventWaiters,
    private readonly sessions: SessionVerifier,
  ) {}

  /** @throws ResourceNotFoundError, InvalidCursorError, CursorExpiredError, TooManyWaitingError, OverloadedError, SessionEndedError */
  async page(principal: Principal, wish: PageWish): Promise<FeedPage> {
    const scope = await this.scopes.scopeOf(principal, wish.deviceIds);
    if (wish.after === undefined || wish.waitMs === 0) {
      return this.read(scope, wish);
    }
    const page = await this.await(scope, wish);
    // It may have ended while the request waited.
    const end = wish.gone.aborted ? null : await this.sessions.endOf(principal.sessionId);
    if (end !== null) {
      throw sessionEnded(end);
    }
    return page;
  }

  /** The first page that has something, or the last one that had nothing when the time is over. */
  private async await(scope: EventScope, wish: PageWish): Promise<FeedPage> {
    const until = performance.now() + wish.waitMs;
    const leftMs = (): number => Math.max(0, until - performance.now());
    // Before the log is read: what happens in between wakes it.
    const waiter = this.waiters.open(scope, wish.gone);
    try {
      let page = await this.read(scope, wish);
      let restMs = REST_MS.first;
      while (isEmpty(page) && leftMs() > 0 && !waiter.isOver) {
        await waiter.news(leftMs());
        if (wish.gone.aborted) {
          break;
        }
        page = await this.read(scope, { ...wish, after: page.cursor });
        if (isEmpty(page)) {
          // What comes without a pause, and is not for it, is not looked at one by one.
          await waiter.rest(Math.min(restMs, leftMs()));
          restMs = Math.min(2 * restMs, REST_MS.longest);
        }
      }
      return page;
    } finally {
      waiter.close();
    }
  }

  private async read(scope: EventScope, { after, limit, types }: PageWish): Promise<FeedPage> {
    const page = await this.log.feedPage({ scope, limit, ...(after !== undefined && { after }) });
    const wanted = page.items.filter(({ type }) => types?.includes(type) ?? true);
    return { ...page, items: await this.authorizer.seenBy(scope.userId, wanted) };
  }
}

function isEmpty({ items, more }: FeedPage): boolean {
  return items.length === 0 && !more;
}
