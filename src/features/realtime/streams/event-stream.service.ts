import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import type { SessionEnd } from '../../../contracts/sessions.js';
import { TokenExpiredError } from '../../../platform/auth/auth.errors.js';
import type { TicketHolder } from '../../../platform/auth/tickets/ticket-holder.js';
import { SessionVerifier } from '../../../platform/auth/session-verifier.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { ReadinessRegistry } from '../../../platform/health/readiness-registry.js';
import { encodeFrame, type StreamBlock } from '../../../platform/http/streams/event-frame.js';
import type { EventStream } from '../../../platform/http/streams/event-stream.js';
import { inBackground } from '../../../platform/process/faults.js';
import { ShuttingDownError } from '../../../platform/realtime/socket.errors.js';
import { connectionProblemOf } from '../../../platform/realtime/sockets.js';
import { within } from '../../../shared/deadline.js';
import { FeedScopeService } from '../../history/feed/feed-scope.service.js';
import { secondsBetween } from '../../../platform/scheduling/jitter.js';
import { EventStreamPublisher } from './event-stream-publisher.js';
import { EventStreamRegistry, type OpenStream } from './event-stream-registry.js';
import { streamMessage } from './stream-message.js';

/** Clients that lost their connections at one moment come back spread over some seconds. */
const RETRY_AFTER_S = { least: 1, most: 5 };

/** What a person asks to hear. */
export interface StreamWish {
  /** The cursor from which they go on; without it, from now. */
  readonly after?: string;
  readonly deviceIds: readonly string[];
}

/** Opens event streams, and ends them with the sessions of those who opened them. */
@Injectable()
export class EventStreamService {
  #isStopping = false;

  constructor(
    private readonly streams: EventStreamRegistry,
    private readonly channel: EventStreamPublisher,
    private readonly scopes: FeedScopeService,
    private readonly log: EventLog,
    private readonly sessions: SessionVerifier,
    private readonly readiness: ReadinessRegistry,
    private readonly config: AppConfig,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(EventStreamService.name);
  }

  /**
   * @param open answers with the headers; before that, what is refused is answered like any request
   * @throws TooManyStreamsError, OverloadedError, ResourceNotFoundError
   */
  async open(holder: TicketHolder, { after, deviceIds }: StreamWish, open: () => EventStream): Promise<void> {
    this.streams.assertRoom(holder.principal.userId);
    // An id without data sets from where the client goes on, though nothing has happened yet.
    const headOf = (start: string): StreamBlock => (after === undefined ? { id: start } : {});
    const known = after ?? this.channel.cursor;
    if (this.isStopping && known !== null) {
      this.begin(holder, open, headOf(known));
      return;
    }
    const scope = await this.scopes.scopeOf(holder.principal, deviceIds);
    const start = after ?? (await this.log.feedPage({ scope, limit: 1 })).cursor;
    const stream = this.begin(holder, open, headOf(start));
    inBackground(() => this.channel.join(stream, scope, start));
  }

  /**
   * A stream that ends as that of the feed does, whatever it carries. While the process stops, it ends at once, and its client
   * comes back to another process: after an answer that is no stream, an `EventSource` never would.
   * @throws TooManyStreamsError, OverloadedError
   */
  begin(holder: TicketHolder, open: () => EventStream, head: StreamBlock = {}): EventStream {
    this.streams.assertRoom(holder.principal.userId);
    const { principal, expiresAtMs } = holder;
    const stream = open();
    const opened = { userId: principal.userId, sessionId: principal.sessionId, expiresAtMs, stream };
    this.streams.add(opened);
    stream.write(encodeFrame({ retryMs: 1_000 * backAfterS(), ...head }));
    if (this.isStopping) {
      this.endAsStopping(stream);
    }
    inBackground(() => this.verify(opened));
    return stream;
  }

  /** Ends the streams of a session, after a message with the reason. */
  endSession(sessionId: string, reason: SessionEnd): void {
    const frame = streamMessage('session_ended', { reason });
    this.streams
      .all()
      .filter((each) => each.sessionId === sessionId)
      .forEach(({ stream }) => {
        stream.end(frame);
      });
  }

  /** Ends the streams of sessions that have ended, in case the signal was lost. */
  async endDeadSessions(): Promise<void> {
    for (const sessionId of new Set(this.streams.all().map((each) => each.sessionId))) {
      const end = await this.sessions.endOf(sessionId);
      if (end !== null) {
        this.endSession(sessionId, end);
      }
    }
  }

  start(): void {
    this.channel.start();
    this.streams.onExpired(({ stream }) => {
      stream.end(this.closing(new TokenExpiredError()));
    });
  }

  /** Ends all streams. Their clients go on elsewhere from the last event that they have, not all at one moment. */
  stop(): void {
    this.#isStopping = true;
    this.streams.all().forEach(({ stream }) => {
      this.endAsStopping(stream);
    });
  }

  private get isStopping(): boolean {
    return this.#isStopping || this.readiness.draining;
  }

  private endAsStopping(stream: EventStream): void {
    stream.end(this.closing(new ShuttingDownError(backAfterS())));
  }

  /** A session that ended while the stream was opened ends it here. */
  private async verify({ sessionId, stream }: OpenStream): Promise<void> {
    try {
      const end = await within(this.config.http.requestTimeoutMs, this.sessions.endOf(sessionId));
      if (end !== null) {
        this.endSession(sessionId, end);
      }
    } catch (error) {
      // The database cannot say whether the session stands.
      this.logger.warn({ err: error }, 'The session of an event stream could not be verified');
      stream.end(this.closing(error));
    }
  }

  private closing(error: unknown): Buffer {
    const problem = connectionProblemOf(error, this.config.http.publicUrl);
    return streamMessage('closing', problem, { retryMs: 1_000 * (problem.retryAfter ?? backAfterS()) });
  }
}

function backAfterS(): number {
  return secondsBetween(RETRY_AFTER_S.least, RETRY_AFTER_S.most);
}
