import { randomBytes } from 'node:crypto';
import type { DoorState } from '../../src/contracts/devices.js';
import {
  type DownlinkChannel,
  HEARTBEAT_INTERVAL_MS,
  type DeviceEventMessage,
  type StatusMessage,
} from '../../src/contracts/mqtt.js';
import type { ActuationJournal } from './actuation-journal.js';
import { AckCache } from './ack-cache.js';
import { AckOutbox } from './ack-outbox.js';
import type { Login } from './connection.js';
import { ReconnectingConnection } from './reconnecting-connection.js';
import type { Report } from './event-queue.js';
import type { Faults } from './faults.js';
import { messageOf, type Log } from './log.js';
import { KeyRing, type KeySource } from './key-ring.js';
import { Motor, type Movement } from './motor.js';
import { CommandHandler } from './command-handler.js';
import type { SettingsStore } from './settings-store.js';
import { EventReporter } from './event-reporter.js';
import { Uptime } from './uptime.js';

export interface BootOptions {
  login: Login;
  keys: KeySource;
  journal: ActuationJournal;
  faults: Faults;
  log: Log;
  /** What outlives a start: the door, the battery and the settings. */
  surroundings: { doorState: DoorState; battery: number; settings: SettingsStore };
  heartbeatMs?: number;
  eventRetryMs?: number;
  crash: () => void;
  restart: () => void;
}

const FIRMWARE_VERSION = 'virtual-1.0.0';
const FIRST_EVENT_RETRY_MS = 5000;

/** The lock from one start to its end: its boot id, its uptime, its counters. A restart makes a new one. */
export class Boot {
  readonly id = randomBytes(16).toString('base64url');
  readonly uptime: Uptime;
  readonly motor: Motor;
  readonly commandHandler: CommandHandler;
  readonly reporter: EventReporter;
  readonly connection: ReconnectingConnection;
  readonly #life = new AbortController();
  readonly #ring: KeyRing;
  readonly #acks: AckOutbox;
  #heartbeats: NodeJS.Timeout | undefined;
  #born: () => void = () => undefined;

  constructor(private readonly options: BootOptions) {
    const { login, faults, journal, log } = options;
    const { signal } = this.#life;
    this.uptime = new Uptime(faults.measure('drift', 1));
    this.#ring = new KeyRing(options.keys, log, signal);
    this.connection = new ReconnectingConnection(
      login,
      {
        birth: () => this.#birth(),
        lastWill: { online: false, boot: this.id },
        onMessage: (channel, message, retained) => {
          this.#hear(channel, message, retained);
        },
        onOnline: () => {
          this.#online();
        },
      },
      log,
      signal,
    );
    this.#acks = new AckOutbox((ack) => this.connection.publish('acks', ack), faults);
    this.reporter = new EventReporter({
      boot: this.id,
      stamp: () => this.#stamp(),
      publish: (events) => this.connection.publish('events', events),
      retryMs: options.eventRetryMs ?? FIRST_EVENT_RETRY_MS,
    });
    const own = { boot: this.id, uptime: this.uptime, log };
    this.motor = new Motor({
      ...own,
      journal,
      autoLockTimeoutMs: () => options.surroundings.settings.autoLockTimeoutMs,
      recorded: () => {
        if (faults.has('crash-after-move')) {
          options.crash();
        }
      },
      moved: (movement) => {
        this.#moved(movement);
      },
    });
    this.commandHandler = new CommandHandler({
      ...own,
      deviceId: login.deviceId,
      ring: this.#ring,
      sentAcks: AckCache.of(journal.read()),
      acks: this.#acks,
      motor: this.motor,
      faults,
      signal,
      report: (report) => {
        this.report(report);
      },
      restart: options.restart,
    });
  }

  /** Settles at the first birth. Tries for as long as the lock lives. */
  begin(): Promise<void> {
    this.options.log('started', `starts, boot ${this.id}, bolt ${this.motor.state}`, {
      boot: this.id,
      lockState: this.motor.state,
    });
    this.motor.recover();
    const born = new Promise<void>((resolve, reject) => {
      this.#born = resolve;
      this.#life.signal.addEventListener('abort', () => {
        reject(new Error('The lock ended before the broker knew it.'));
      });
    });
    this.#ring.fill().then(
      () => this.connection.keep(),
      () => undefined,
    );
    return born;
  }

  report(report: Report): void {
    if (this.#life.signal.aborted || this.options.faults.has('no-events')) {
      return;
    }
    for (const { seq, type, data } of this.reporter.report(report)) {
      this.options.log('event', `reports ${type} (seq ${String(seq)})`, { seq, type, data });
    }
  }

  /** Leaves politely: the broker hears that the lock goes, and does not publish the will. */
  async end(): Promise<void> {
    this.#rest();
    await this.connection.leave({ online: false, boot: this.id });
  }

  /** As if the power failed. */
  cut(): void {
    this.#rest();
    this.connection.cut();
  }

  #rest(): void {
    this.#life.abort();
    clearInterval(this.#heartbeats);
    this.motor.halt();
    this.reporter.pause();
  }

  #online(): void {
    this.options.log('online', 'is online', { boot: this.id });
    this.#born();
    clearInterval(this.#heartbeats);
    if (!this.options.faults.has('no-heartbeat')) {
      this.#heartbeats = setInterval(() => {
        this.#beat();
      }, this.options.heartbeatMs ?? HEARTBEAT_INTERVAL_MS);
    }
    void this.#acks.resend();
    this.reporter.resend();
  }

  #beat(): void {
    const { battery } = this.options.surroundings;
    const heartbeat = { boot: this.id, uptimeMs: this.uptime.now(), battery, rssi: -58, freeHeap: 180_000 };
    void this.connection.publish('heartbeat', heartbeat);
  }

  #birth(): StatusMessage {
    return {
      online: true,
      boot: this.id,
      uptimeMs: this.uptime.now(),
      firmwareVersion: FIRMWARE_VERSION,
      lockState: this.motor.state,
      doorState: this.options.surroundings.doorState,
    };
  }

  #hear(channel: DownlinkChannel, message: Uint8Array, retained: boolean): void {
    if (this.#life.signal.aborted) {
      return;
    }
    if (channel === 'receipts') {
      this.#hearReceipt(message);
      return;
    }
    if (channel === 'settings') {
      this.#hearSettings(message);
      return;
    }
    this.commandHandler.receive(message, retained).catch((error: unknown) => {
      this.options.log('trouble', `could not handle an order: ${messageOf(error)}`);
    });
  }

  #hearReceipt(message: Uint8Array): void {
    if (this.reporter.acceptReceipt(message)) {
      this.options.log('receipt', `has a receipt; ${String(this.reporter.waiting)} events wait`, {
        waiting: this.reporter.waiting,
      });
    } else {
      this.options.log('trouble', 'ignores a receipt that is not about its events');
    }
  }

  #hearSettings(message: Uint8Array): void {
    const taken = this.options.surroundings.settings.accept(message);
    if (taken) {
      this.options.log('settings', `takes settings in version ${String(taken.version)}`, { ...taken });
      this.report({ type: 'settings_updated', data: { ...taken } });
    }
  }

  #moved({ lockState, cause, commandId }: Movement): void {
    const by = cause === 'command' ? '' : ` (${cause})`;
    this.options.log('bolt', `bolt ${lockState}${by}`, { lockState, cause, ...(commandId ? { commandId } : {}) });
    this.report({ type: 'door_status_changed', data: { lockState, cause, ...(commandId ? { commandId } : {}) } });
  }

  #stamp(): Pick<DeviceEventMessage, 'occurredAt' | 'uptimeMs'> {
    const { faults } = this.options;
    const uptimeMs = this.uptime.now();
    return faults.has('no-clock')
      ? { uptimeMs }
      : { uptimeMs, occurredAt: new Date(Date.now() + faults.measure('clock-offset', 0)).toISOString() };
  }
}
