import { lastPosition, type Actuation, type ActuationJournal } from './actuation-journal.js';
import { isRelockDue, obey, turnByHand, type Bolt, type BoltOrder, type BoltState } from './bolt.js';
import { messageOf, type Log } from './log.js';
import type { Uptime } from './uptime.js';

export interface Movement {
  lockState: BoltState;
  cause: 'command' | 'auto_lock' | 'restart' | 'manual';
  commandId?: string;
}

export interface MotorParts {
  boot: string;
  uptime: Uptime;
  journal: ActuationJournal;
  /** Milliseconds after which an unlock ends that has no duration of its own; undefined when it does not end. */
  autoLockTimeoutMs?: () => number | undefined;
  /** Called when a movement is on disk, before it is reported. */
  recorded: () => void;
  moved: (movement: Movement) => void;
  log: Log;
}

/** Drives the bolt: first on disk, then in the door. */
export class Motor {
  #bolt: Bolt;
  #relocking: NodeJS.Timeout | undefined;
  #halted = false;

  constructor(private readonly parts: MotorParts) {
    this.#bolt = { state: lastPosition(parts.journal.read()).state };
  }

  get state(): BoltState {
    return this.#bolt.state;
  }

  /**
   * After a start: it is unknown how long the power was gone, so a timed unlock has ended. One that was not
   * timed still holds.
   */
  recover(): void {
    const { openTimed } = lastPosition(this.parts.journal.read());
    if (openTimed) {
      this.#relock(openTimed, 'restart');
    }
  }

  /** Throws when the movement cannot be recorded; then nothing has moved. */
  obey(order: BoltOrder): void {
    const uptimeMs = this.parts.uptime.now();
    const durationMs =
      order.name === 'unlock_door' ? (order.payload.durationMs ?? this.parts.autoLockTimeoutMs?.()) : undefined;
    this.#record({ commandId: order.commandId, action: order.name, counter: order.counter, uptimeMs, durationMs });
    this.parts.recorded();
    this.#turn(obey(order, uptimeMs, this.parts.autoLockTimeoutMs?.()), {
      cause: 'command',
      commandId: order.commandId,
    });
  }

  /** The knob on the inside was turned: the motor does not move, and the journal has no entry. */
  turnByHand(state: BoltState): void {
    this.#turn(turnByHand(state), { cause: 'manual' });
  }

  /** No power any more: whatever was due does not happen. */
  halt(): void {
    this.#halted = true;
    clearTimeout(this.#relocking);
  }

  #turn(bolt: Bolt, { cause, commandId }: Omit<Movement, 'lockState'>): void {
    if (this.#halted) {
      return;
    }
    this.#bolt = bolt;
    clearTimeout(this.#relocking);
    this.#awaitRelock();
    this.parts.moved({ lockState: bolt.state, cause, ...(commandId === undefined ? {} : { commandId }) });
  }

  #awaitRelock(): void {
    const { relock } = this.#bolt;
    if (!relock) {
      return;
    }
    this.#relocking = setTimeout(() => {
      if (isRelockDue(this.#bolt, this.parts.uptime.now())) {
        this.#relock(relock, 'auto_lock');
      } else {
        this.#awaitRelock();
      }
    }, this.parts.uptime.timerUntil(relock.atUptimeMs));
  }

  /** Closes even when it cannot be recorded: a door left open is the worse of the two. */
  #relock({ commandId, counter }: { commandId: string; counter: number }, cause: 'auto_lock' | 'restart'): void {
    try {
      this.#record({ commandId, action: 'auto_lock', counter, uptimeMs: this.parts.uptime.now() });
    } catch (error) {
      this.parts.log('trouble', `cannot record the relocking: ${messageOf(error)}`, { commandId });
    }
    this.#turn({ state: 'locked' }, { cause, commandId });
  }

  #record({
    durationMs,
    ...rest
  }: Omit<Actuation, 'at' | 'boot' | 'durationMs'> & { durationMs?: number | undefined }): void {
    const timed = durationMs === undefined ? {} : { durationMs };
    this.parts.journal.append({ at: new Date().toISOString(), boot: this.parts.boot, ...rest, ...timed });
  }
}
