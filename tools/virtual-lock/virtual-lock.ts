import type { DoorState } from '../../src/contracts/devices.js';
import { ActuationJournal, type Actuation } from './actuation-journal.js';
import type { BoltState } from './bolt.js';
import { Boot } from './boot.js';
import type { Report } from './event-queue.js';
import { Faults } from './faults.js';
import { messageOf, type Log } from './log.js';
import { SettingsStore } from './settings-store.js';
import type { KeySource } from './key-ring.js';

export interface VirtualLockOptions {
  /** The device's id: client id and username on the broker, and the name in its topics. */
  deviceId: string;
  token: string;
  keys: KeySource;
  url?: string;
  username?: string;
  /** Where movements are kept; without it they end with the process. */
  journalPath?: string;
  faults?: Faults;
  heartbeatMs?: number;
  /** First pause before events without a receipt are sent again. */
  eventRetryMs?: number;
  log?: Log;
  /** What fault `crash-after-move` does; cuts the connection unless given. */
  crash?: () => void;
}

const LOW_BATTERY = 20;

/**
 * A simulated lock: the firmware's part of docs/protocol.md, with a variable as its bolt and a file as its flash. It
 * knows nothing of the backend but the public protocol.
 */
export class VirtualLock {
  readonly #journal: ActuationJournal;
  readonly #log: Log;
  readonly #world: { doorState: DoorState; battery: number; settings: SettingsStore } = {
    doorState: 'closed',
    battery: 96,
    settings: new SettingsStore(),
  };
  #boot: Boot | undefined;
  /** The restart that is under way; undefined once the lock was stopped. */
  #restarting: symbol | undefined;

  constructor(private readonly options: VirtualLockOptions) {
    this.#journal = new ActuationJournal(options.journalPath);
    this.#log = options.log ?? (() => undefined);
  }

  /** Switches the power on. Settles when the broker knows the lock; keeps trying until {@link stop} or {@link kill}. */
  async start(): Promise<void> {
    if (this.#boot) {
      throw new Error('The lock is running.');
    }
    const {
      deviceId,
      token,
      url = 'mqtt://127.0.0.1:1883',
      username = deviceId,
      keys,
      heartbeatMs,
      eventRetryMs,
    } = this.options;
    this.#boot = new Boot({
      login: { url, deviceId, username, password: token },
      keys,
      journal: this.#journal,
      faults: this.options.faults ?? Faults.none,
      log: this.#log,
      surroundings: this.#world,
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      ...(eventRetryMs === undefined ? {} : { eventRetryMs }),
      crash:
        this.options.crash ??
        (() => {
          this.kill();
        }),
      restart: () => {
        this.restart().catch((error: unknown) => {
          this.#log('trouble', messageOf(error));
        });
      },
    });
    await this.#boot.begin();
  }

  /** Says goodbye and disconnects. */
  async stop(): Promise<void> {
    this.#restarting = undefined;
    await this.#leave();
    this.#log('stopped', 'has stopped');
  }

  /** Vanishes without a goodbye, as in a power cut. */
  kill(): void {
    this.#restarting = undefined;
    this.#boot?.cut();
    this.#boot = undefined;
    this.#log('stopped', 'has lost its power');
  }

  /** A new boot: new id, new uptime, new counters; the bolt stays where it is. */
  async restart(): Promise<void> {
    const restarting = Symbol('restart');
    this.#restarting = restarting;
    await this.#leave();
    if (this.#restarting === restarting) {
      await this.start();
    }
  }

  /** Random id of the present start; undefined while the power is off. */
  get bootId(): string | undefined {
    return this.#boot?.id;
  }

  get uptimeMs(): number {
    return this.#boot?.uptime.now() ?? 0;
  }

  get online(): boolean {
    return this.#boot?.connection.online ?? false;
  }

  get lockState(): BoltState | undefined {
    return this.#boot?.motor.state;
  }

  /** The highest counter accepted since the start. */
  get lastCounter(): number {
    return this.#boot?.commandHandler.lastCounter ?? 0;
  }

  /** Events that no receipt covers yet. */
  get eventsWaiting(): number {
    return this.#boot?.reporter.waiting ?? 0;
  }

  /** Every movement of the motor since the journal exists. */
  actuations(): readonly Actuation[] {
    return this.#journal.read();
  }

  report(report: Report): void {
    this.#boot?.report(report);
  }

  /** Turns the bolt by the knob, without the motor. */
  turnKnob(state: BoltState): void {
    this.#boot?.motor.turnByHand(state);
  }

  moveDoor(doorState: DoorState): void {
    this.#world.doorState = doorState;
    this.report({ type: 'door_status_changed', data: { doorState, cause: 'manual' } });
  }

  /** Percent; reported when it is low. */
  drainBattery(battery: number): void {
    this.#world.battery = battery;
    if (battery < LOW_BATTERY) {
      this.report({ type: 'low_battery', data: { battery } });
    }
  }

  async #leave(): Promise<void> {
    const boot = this.#boot;
    this.#boot = undefined;
    await boot?.end();
  }
}
