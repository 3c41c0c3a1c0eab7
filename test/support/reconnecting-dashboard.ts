import { LightSocket } from '../../bench/support/light-socket.js';
import type { FeedListener } from './dashboard-crowd.js';

/** As Socket.IO connects again by itself: pauses of one second, then two, each half as long or half as long again. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS, JITTER] = [1_000, 2_000, 0.5];

interface Message {
  readonly cursor?: string | null;
  readonly id?: string;
}

/** Thousands hear the same text: it is read once. */
let latest: { readonly text: string; readonly name: string; readonly message: Message } | undefined;

function read(text: string): NonNullable<typeof latest> {
  if (latest?.text !== text) {
    const [name, message] = JSON.parse(text) as [string, Message];
    latest = { text, name, message };
  }
  return latest;
}

export interface ReconnectingOptions {
  readonly url: string;
  readonly token: string;
  /** What is sent as the last cursor of what was heard; a test of this very client sends something else. */
  readonly resumeFrom?: (cursor: string | null) => string | null;
  readonly random?: () => number;
}

/** A dashboard as docs/realtime.md shows it: it connects again whenever its connection ends, from the last cursor that it has. */
export class ReconnectingDashboard implements FeedListener {
  /** Ids of the events, as they came. */
  readonly heard: number[] = [];
  readonly refusals: string[] = [];
  connections = 0;
  resyncs = 0;
  #lastCursor: string | null = null;
  #socket: LightSocket | null = null;
  #failures = 0;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: ReconnectingOptions) {}

  /** Settles when it is connected for the first time. */
  static async start(options: ReconnectingOptions): Promise<ReconnectingDashboard> {
    const dashboard = new ReconnectingDashboard(options);
    await dashboard.connect();
    return dashboard;
  }

  get isConnected(): boolean {
    return this.#socket?.isEnded === false;
  }

  /** Its connection ends; it connects again. */
  drop(how: 'leave' | 'reset'): void {
    this.#socket?.[how]();
  }

  /** For good. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.leave();
  }

  private async connect(): Promise<void> {
    const { url, token, resumeFrom = (cursor: string | null) => cursor } = this.options;
    const lastCursor = resumeFrom(this.#lastCursor);
    this.#socket = await LightSocket.connect({
      url,
      auth: { token, clientType: 'dashboard', lastCursor },
      onEvent: (text) => {
        this.take(text);
      },
      onEnd: () => {
        this.again();
      },
    });
    this.connections += 1;
    this.#failures = 0;
  }

  private take(text: string): void {
    const { name, message } = read(text);
    this.#lastCursor = message.cursor ?? this.#lastCursor;
    this.resyncs += name === 'resync' ? 1 : 0;
    if (message.id !== undefined) {
      this.heard.push(Number(message.id));
    }
  }

  private again(): void {
    if (this.#isOver) {
      return;
    }
    const { random = Math.random } = this.options;
    const pauseMs =
      Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS) * (1 + JITTER * (2 * random() - 1));
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.connect().catch((error: unknown) => {
        this.refusals.push(String(error));
      });
    }, pauseMs);
  }
}
