import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { EventScope, EventType } from '../../../contracts/events.js';
import { sessionEnded } from '../../../platform/auth/auth.errors.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { SessionVerifier } from '../../../platform/auth/session-verifier.js';
import { EventLog, type FeedPage } from '../../../platform/events/event-log.js';
import { FeedAuthorizer } from '../feed/feed-authorizer.js';
import { FeedScopeService } from '../feed/feed-scope.service.js';
import { EventWaiters } from './event-waiters.js';

const REST_MS = 200;

/** What a person asks for, and for how long they would wait for it. */
export interface PageWish {
  readonly after?: string;
  readonly limit: number;
  readonly types?: readonly EventType[];
  readonly deviceIds: readonly string[];
  readonly waitMs: number;
  /** The client is there no more. */
  readonly isGone: () => boolean;
}

/** Reads pages of the feed for people who ask again and again. All events of a page are judged by one question. */
@Injectable()
export class EventPageService {
  constructor(
    private readonly log: EventLog,
    private readonly scopes: FeedScopeService,
    private readonly authorizer: FeedAuthorizer,
    private readonly waiters: EventWaiters,
    private readonly sessions: SessionVerifier,
  ) {}

  /** @throws ResourceNotFoundError, InvalidCursorError, CursorExpiredError, OverloadedError, SessionEndedError */
  async page(principal: Principal, wish: PageWish): Promise<FeedPage> {
    const scope = await this.scopes.scopeOf(principal, wish.deviceIds);
    if (wish.after === undefined || wish.waitMs === 0) {
      return this.read(scope, wish);
    }
    const page = await this.await(scope, wish);
    // It may have ended while the request waited.
    const end = await this.sessions.endOf(principal.sessionId);
    if (end !== null) {
      throw sessionEnded(end);
    }
    return page;
  }

  /** The first page that has something, or the last one that had nothing when the time is over. */
  private async await(scope: EventScope, wish: PageWish): Promise<FeedPage> {
    const until = performance.now() + wish.waitMs;
    // Before the log is read: what happens in between wakes it.
    const waiter = this.waiters.open(scope);
    try {
      let page = await this.read(scope, wish);
      for (let leftMs = until - performance.now(); isEmpty(page) && leftMs > 0 && !wish.isGone();) {
        const goesOn = await waiter.news(leftMs);
        page = await this.read(scope, { ...wish, after: page.cursor });
        if (!goesOn) {
          break;
        }
        if (isEmpty(page)) {
          // What comes without a pause, and is not asked for, is not looked at one by one.
          await pause(REST_MS);
        }
        leftMs = until - performance.now();
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
