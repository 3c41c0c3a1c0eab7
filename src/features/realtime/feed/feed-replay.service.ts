import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { EventLog } from '../../../platform/events/event-log.js';
import { FeedAuthorizer } from './feed-authorizer.js';
import type { FeedSubscriber } from './feed-channel.types.js';
import { FeedPublisher } from './feed-publisher.js';

const PAGE = 200;
const MAX_EVENTS = 2_000;
/** Whose devices send events without a pause cannot catch up page by page: they read the state again. */
const MAX_ROUNDS = 50;

/** Brings connections up to date: what they missed comes first, in order, then the feed goes on without gap or repeat. */
@Injectable()
export class FeedReplayService {
  constructor(
    private readonly log: EventLog,
    private readonly authorizer: FeedAuthorizer,
    private readonly publisher: FeedPublisher,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(FeedReplayService.name);
  }

  /** Sends what followed `lastCursor`, then joins; or `resync`, when that is too much, or the cursor unknown. */
  async replay(subscriber: FeedSubscriber, lastCursor: string): Promise<void> {
    let reached: string | null = null;
    try {
      reached = await this.catchUp(subscriber, lastCursor);
    } catch (error) {
      this.logger.debug({ err: error }, 'Missed events could not be sent again');
    }
    if (reached === null && !subscriber.isClosed) {
      subscriber.resync(this.publisher.cursor);
    }
  }

  /** The cursor at which the subscriber joins; null when it cannot catch up, or is closed. */
  private async catchUp(subscriber: FeedSubscriber, lastCursor: string): Promise<string | null> {
    const { scope } = subscriber;
    const absence = this.publisher.beginAbsence(scope);
    try {
      let cursor = lastCursor;
      for (let sent = 0, rounds = 0; sent < MAX_EVENTS && rounds < MAX_ROUNDS && !subscriber.isClosed; rounds += 1) {
        const { missed } = absence;
        const page = await this.log.feedPage({ scope, after: cursor, limit: PAGE });
        const verdicts = await this.authorizer.judge(page.items.map((event) => ({ userId: scope.userId, event })));
        page.items
          .filter((_, index) => verdicts[index]?.maySee)
          .forEach((event) => {
            subscriber.send(event);
          });
        sent += page.items.length;
        cursor = page.cursor;
        // No await between this check and the join, so that nothing is published in between.
        if (!page.more && missed === absence.missed) {
          this.publisher.joinAt(subscriber, cursor);
          return cursor;
        }
      }
      return null;
    } finally {
      this.publisher.endAbsence(absence);
    }
  }
}
