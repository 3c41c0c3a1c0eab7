import { io, type Socket } from 'socket.io-client';
import {
  type AnswerTo,
  type DashboardEvents,
  type DashboardRequest,
  type DashboardRequests,
  FEED_MESSAGES,
  type FeedEvent,
  type FeedMessage,
  type SocketAck,
  type SocketProblem,
} from '../../src/contracts/realtime.js';
import type { SessionEnd } from '../../src/contracts/sessions.js';
import { eventually } from './wait.js';

export interface DashboardMessage {
  readonly event: FeedEvent;
  readonly message: FeedMessage;
}

/** A dashboard as a web client runs it; remembers everything it received, in order. */
export class Dashboard {
  readonly received: DashboardMessage[] = [];
  /** Every message, whatever it is. */
  readonly heard: { readonly name: string; readonly payload: unknown }[] = [];
  readonly resyncs: { cursor: string | null }[] = [];
  /** Why its session ended, once it was told. */
  endReason: SessionEnd | undefined;

  /** Why this process ended the connection, once it was told. */
  closing: SocketProblem | undefined;

  private constructor(readonly socket: Socket<DashboardEvents, DashboardRequests>) {
    for (const event of Object.keys(FEED_MESSAGES) as FeedEvent[]) {
      socket.on(event, (message: FeedMessage) => {
        this.received.push({ event, message });
      });
    }
    socket.onAny((name: string, payload: unknown) => {
      this.heard.push({ name, payload });
    });
    socket.on('resync', (message) => {
      this.resyncs.push(message);
    });
    socket.on('closing', (problem) => {
      this.closing = problem;
    });
    socket.on('session_ended', ({ reason }) => {
      this.endReason = reason;
    });
  }

  /** Waits until the connection ends. @returns why, if the server said so */
  async closed(): Promise<SocketProblem | undefined> {
    await eventually('the connection ended', () => this.socket.disconnected, 15_000);
    return this.closing;
  }

  /** Rejects with the problem's code when the handshake is refused. */
  static async connect(
    url: string,
    auth: Record<string, unknown>,
    extraHeaders: Record<string, string> = {},
  ): Promise<Dashboard> {
    const socket: Socket<DashboardEvents, DashboardRequests> = io(url, {
      auth,
      extraHeaders,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: 5_000,
    });
    const dashboard = new Dashboard(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', (error) => {
        socket.disconnect();
        reject(error);
      });
    });
    return dashboard;
  }

  static signedIn(url: string, token: string, lastCursor?: string): Promise<Dashboard> {
    return Dashboard.connect(url, {
      token,
      clientType: 'dashboard',
      ...(lastCursor === undefined ? {} : { lastCursor }),
    });
  }

  /** The first message received, or yet to come, that `matches`. */
  expect(what: string, matches: (received: DashboardMessage) => boolean, limitMs?: number): Promise<DashboardMessage> {
    return eventually(`a dashboard hears ${what}`, () => this.received.find(matches), limitMs);
  }

  expectResync(): Promise<{ cursor: string | null }> {
    return eventually('a dashboard is told to read again', () => this.resyncs[0]);
  }

  request<R extends DashboardRequest>(request: R, body: unknown): Promise<SocketAck<AnswerTo<R>>> {
    const socket = this.socket.timeout(5_000) as unknown as Pick<Socket, 'emitWithAck'>;
    return socket.emitWithAck(request, body) as Promise<SocketAck<AnswerTo<R>>>;
  }

  close(): void {
    this.socket.disconnect();
  }
}
