import { randomBytes } from 'node:crypto';
import type { DoorState } from '../../src/contracts/devices.js';
import { HEARTBEAT_INTERVAL_MS, type DeviceEventMessage, type StatusMessage } from '../../src/contracts/mqtt.js';
import type { ActuationJournal } from './actuation-journal.js';
import { AnswerMemory } from './answer-memory.js';
import { Answers } from './answers.js';
import type { Login } from './connection.js';
import { DeviceLine } from './device-line.js';
import type { Report } from './event-queue.js';
import type { Faults } from './faults.js';
import { reasonOf, type Tell } from './happenings.js';
import { KeyRing, type KeySource } from './key-ring.js';
import { Motor, type Movement } from './motor.js';
import { OrderDesk } from './order-desk.js';
import { Reporter } from './reporter.js';
import { Uptime } from './uptime.js';

export interface BootParts {
  login: Login;
  keys: KeySource;
  journal: ActuationJournal;
  faults: Faults;
  tell: Tell;
  /** What outlives a start: the door and the battery. */
  world: { doorState: DoorState; battery: number };
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
  readonly desk: OrderDesk;
  readonly reporter: Reporter;
  readonly line: DeviceLine;
  readonly #life = new AbortController();
  readonly #ring: KeyRing;
  readonly #answers: Answers;
  #heartbeats: NodeJS.Timeout | undefined;
  #born: () => void = () => undefined;

  constructor(private readonly parts: BootParts) {
    const { login, faults, journal, tell } = parts;
    const life = this.#life.signal;
    this.uptime = new Uptime(faults.measure('drift', 1));
    this.#ring = new KeyRing(parts.keys, tell, life);
    this.line = new DeviceLine(
      login,
      {
        birth: () => this.#birth(),
        lastWill: { online: false, boot: this.id },
        hear: (channel, message, retained) => {
          this.#hear(channel, message, retained);
        },
        online: () => {
          this.#online();
        },
      },
      tell,
      life,
    );
    this.#answers = new Answers((ack) => this.line.publish('acks', ack), faults);
    this.reporter = new Reporter({
      boot: this.id,
      stamp: () => this.#stamp(),
      publish: (events) => this.line.publish('events', events),
      retryMs: parts.eventRetryMs ?? FIRST_EVENT_RETRY_MS,
    });
    const own = { boot: this.id, uptime: this.uptime, tell };
    this.motor = new Motor({
      ...own,
      journal,
      recorded: () => {
        if (faults.has('crash-after-move')) {
          parts.crash();
        }
      },
      moved: (movement) => {
        this.#moved(movement);
      },
    });
    this.desk = new OrderDesk({
      ...own,
      deviceId: login.deviceId,
      ring: this.#ring,
      memory: AnswerMemory.of(journal.read()),
      answers: this.#answers,
      motor: this.motor,
      faults,
      life,
      report: (report) => {
        this.report(report);
      },
      restart: parts.restart,
    });
  }

  /** Settles at the first birth. Tries for as long as the lock lives. */
  begin(): Promise<void> {
    this.parts.tell('started', `starts, boot ${this.id}, bolt ${this.motor.state}`, {
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
      () => this.line.keep(),
      () => undefined,
    );
    return born;
  }

  report(report: Report): void {
    if (this.#life.signal.aborted || this.parts.faults.has('no-events')) {
      return;
    }
    for (const { seq, type, data } of this.reporter.report(report)) {
      this.parts.tell('event', `reports ${type} (seq ${String(seq)})`, { seq, type, data });
    }
  }

  /** Leaves politely: the broker hears that the lock goes, and does not publish the will. */
  async end(): Promise<void> {
    this.#rest();
    await this.line.leave({ online: false, boot: this.id });
  }

  /** As if the power failed. */
  cut(): void {
    this.#rest();
    this.line.cut();
  }

  #rest(): void {
    this.#life.abort();
    clearInterval(this.#heartbeats);
    this.motor.halt();
    this.reporter.rest();
  }

  #online(): void {
    this.parts.tell('online', 'is online', { boot: this.id });
    this.#born();
    clearInterval(this.#heartbeats);
    if (!this.parts.faults.has('no-heartbeat')) {
      this.#heartbeats = setInterval(() => {
        this.#beat();
      }, this.parts.heartbeatMs ?? HEARTBEAT_INTERVAL_MS);
    }
    void this.#answers.resend();
    this.reporter.resend();
  }

  #beat(): void {
    const { battery } = this.parts.world;
    const heartbeat = { boot: this.id, uptimeMs: this.uptime.now(), battery, rssi: -58, freeHeap: 180_000 };
    void this.line.publish('heartbeat', heartbeat);
  }

  #birth(): StatusMessage {
    return {
      online: true,
      boot: this.id,
      uptimeMs: this.uptime.now(),
      firmwareVersion: FIRMWARE_VERSION,
      lockState: this.motor.state,
      doorState: this.parts.world.doorState,
    };
  }

  #hear(channel: 'commands' | 'receipts', message: Uint8Array, retained: boolean): void {
    if (this.#life.signal.aborted) {
      return;
    }
    if (channel === 'receipts') {
      this.#hearReceipt(message);
      return;
    }
    this.desk.receive(message, retained).catch((error: unknown) => {
      this.parts.tell('trouble', `could not handle an order: ${reasonOf(error)}`);
    });
  }

  #hearReceipt(message: Uint8Array): void {
    if (this.reporter.take(message)) {
      this.parts.tell('receipt', `has a receipt; ${String(this.reporter.waiting)} events wait`, {
        waiting: this.reporter.waiting,
      });
    } else {
      this.parts.tell('trouble', 'ignores a receipt that is not about its events');
    }
  }

  #moved({ lockState, cause, commandId }: Movement): void {
    const by = cause === 'command' ? '' : ` (${cause})`;
    this.parts.tell('bolt', `bolt ${lockState}${by}`, { lockState, cause, ...(commandId ? { commandId } : {}) });
    this.report({ type: 'door_status_changed', data: { lockState, cause, ...(commandId ? { commandId } : {}) } });
  }

  #stamp(): Pick<DeviceEventMessage, 'occurredAt' | 'uptimeMs'> {
    const { faults } = this.parts;
    const uptimeMs = this.uptime.now();
    return faults.has('no-clock')
      ? { uptimeMs }
      : { uptimeMs, occurredAt: new Date(Date.now() + faults.measure('clock-offset', 0)).toISOString() };
  }
}
