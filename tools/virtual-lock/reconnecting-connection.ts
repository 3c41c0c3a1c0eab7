import { setTimeout as wait } from 'node:timers/promises';
import type { DeviceMessages, StatusMessage, UplinkChannel } from '../../src/contracts/mqtt.js';
import { Connection, type MessageHandler, type Login } from './connection.js';
import { messageOf, type Log } from './log.js';

export interface ConnectionHandlers {
  birth: () => StatusMessage;
  lastWill: StatusMessage;
  onMessage: MessageHandler;
  /** Called after each birth: resend what the broker may have missed. */
  onOnline: () => void;
}

const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** A connection that lived this long was a good one: the next pause is a short one again. */
const GOOD_LIFE_MS = 5000;

/** Keeps one connection to the broker, and makes a new one whenever it ends. */
export class ReconnectingConnection {
  #connection: Connection | undefined;
  #online = false;

  constructor(
    private readonly login: Login,
    private readonly ends: ConnectionHandlers,
    private readonly log: Log,
    private readonly signal: AbortSignal,
  ) {}

  get online(): boolean {
    return this.#online;
  }

  /** Settles when the lock ends. */
  async keep(): Promise<void> {
    let failures = 0;
    while (!this.#over()) {
      const bornAt = performance.now();
      const reason = await this.#live();
      failures = performance.now() - bornAt > GOOD_LIFE_MS ? 0 : failures + 1;
      if (!this.#over()) {
        const pause = pauseAfter(failures);
        this.log('offline', `offline: ${reason}; tries again in ${String(pause)} ms`, { reason, pause });
        await wait(pause, undefined, { signal: this.signal }).catch(() => undefined);
      }
    }
  }

  async publish<C extends UplinkChannel>(channel: C, message: DeviceMessages[C]): Promise<boolean> {
    return this.#connection !== undefined && this.#online ? this.#connection.publish(channel, message) : false;
  }

  async leave(goodbye: StatusMessage): Promise<void> {
    await this.#connection?.leave(goodbye);
  }

  cut(): void {
    this.#connection?.cut();
  }

  #over(): boolean {
    return this.signal.aborted;
  }

  async #live(): Promise<string> {
    this.log('connecting', `connects to ${this.login.url}`);
    try {
      const connection = new Connection(this.login, this.ends.lastWill, this.ends.onMessage);
      this.#connection = connection;
      await connection.open(this.ends.birth);
      this.#online = true;
      this.ends.onOnline();
      const error = await connection.closed;
      return error ? explain(error) : 'the connection ended';
    } catch (error) {
      this.#connection?.cut();
      return explain(error);
    } finally {
      this.#online = false;
      this.#connection = undefined;
    }
  }
}

/** Full jitter above the shortest pause, so that a thousand locks do not return in step after an outage. */
function pauseAfter(failures: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 10));
  return Math.round(SHORTEST_PAUSE_MS + Math.random() * (longest - SHORTEST_PAUSE_MS));
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 4 || code === 5) {
    return 'the broker refused this device id and token (check --id and --token, or whether the token was revoked)';
  }
  return code === 'ECONNREFUSED' ? 'nothing listens there (is Mortise running, and is --url right?)' : messageOf(error);
}
