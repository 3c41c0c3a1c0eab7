import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { StoredEvent } from '../../../contracts/events.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { isCursorAfter } from '../../../platform/events/log-position.js';
import { ReplayLimiter } from '../../../platform/events/replay-limiter.js';
import { FeedAccessService } from '../../history/feed/feed-access.service.js';
import type { FeedSubscriber } from './feed-channel.types.js';
import { type Absence, FeedPublisher } from './feed-publisher.js';

const PAGE = 200;
const MAX_EVENTS = 2_000;
/**
 * Pages of the log, and looks at what was published meanwhile behind each: whose devices send more cannot catch up, and reads the
 * state again.
 */
const MAX_ROUNDS = 50;

/** How far a page of the log has brought a subscriber. */
interface Round {
  readonly cursor: string;
  readonly sent: number;
  readonly hasJoined: boolean;
}

/** Brings connections up to date: what they missed comes first, in order, then the feed goes on without gap or repeat. */
@Injectable()
export class FeedReplayService {
  readonly #turns = new ReplayLimiter();

  constructor(
    private readonly log: EventLog,
    private readonly authorizer: FeedAccessService,
    private readonly publisher: FeedPublisher,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(FeedReplayService.name);
  }

  /** Sends what followed `lastCursor`, then joins; or `resync`, when that is too much, the cursor unknown, or the log too busy. */
  async replay(subscriber: FeedSubscriber, lastCursor: string): Promise<void> {
    let hasJoined = false;
    try {
      hasJoined = await this.catchUp(subscriber, lastCursor);
    } catch (error) {
      this.logger.debug({ err: error }, 'Missed events could not be sent again');
    }
    if (!hasJoined && !subscriber.isClosed) {
      subscriber.resync(this.publisher.cursor);
    }
  }

  /** @returns whether it has joined: not when it cannot catch up, or is closed. @throws BusyError */
  private async catchUp(subscriber: FeedSubscriber, lastCursor: string): Promise<boolean> {
    let cursor = lastCursor;
    for (let sent = 0, rounds = 0; sent < MAX_EVENTS && rounds < MAX_ROUNDS && !subscriber.isClosed; rounds += 1) {
      const after = cursor;
      const round = await this.#turns.run(subscriber.scope.userId, () => this.readOn(subscriber, after));
      if (round.hasJoined) {
        return true;
      }
      sent += round.sent;
      cursor = round.cursor;
    }
    return false;
  }

  /** Sends a page of the log, and joins where that is the last one. What is published meanwhile is kept, and sent behind it. */
  private async readOn(subscriber: FeedSubscriber, after: string): Promise<Round> {
    const { scope } = subscriber;
    const absence = this.publisher.beginAbsence(scope);
    try {
      const page = await this.log.feedPage({ scope, after, limit: PAGE });
      await this.send(subscriber, page.items);
      const sent = page.items.length;
      if (page.more) {
        return { cursor: page.cursor, sent, hasJoined: false };
      }
      let { cursor } = page;
      const isBehind = (): boolean => absence.missed.length > 0 && !absence.isOverfull && !subscriber.isClosed;
      for (let looks = 0; isBehind() && looks < MAX_ROUNDS; looks += 1) {
        cursor = await this.sendMissed(subscriber, absence, cursor);
      }
      // No await between the last look at what was missed and the join, so that nothing is published in between.
      const hasJoined = !absence.isOverfull && absence.missed.length === 0;
      if (hasJoined) {
        this.publisher.joinAt(subscriber, cursor);
      }
      return { cursor, sent, hasJoined };
    } finally {
      this.publisher.endAbsence(absence);
    }
  }

  /**
   * Sends what was published behind `cursor` meanwhile, from memory: while many catch up at once and events go on, the log would
   * never be read to its end between two of them. @returns the cursor of the last one
   */
  private async sendMissed(subscriber: FeedSubscriber, absence: Absence, cursor: string): Promise<string> {
    const missed = absence.missed.splice(0).filter((event) => isCursorAfter(event.cursor, cursor));
    await this.send(subscriber, missed);
    return missed.at(-1)?.cursor ?? cursor;
  }

  /** Those that its person may see at this moment. */
  private async send(subscriber: FeedSubscriber, events: readonly StoredEvent[]): Promise<void> {
    for (const event of await this.authorizer.seenBy(subscriber.scope.userId, events)) {
      subscriber.send(event);
    }
  }
}
