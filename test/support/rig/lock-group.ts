import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Actuation } from '../../../tools/virtual-lock/actuation-journal.js';
import type { RegisteredDevice } from '../devices.fixture.js';
import { NodeProcess } from '../process.js';
import { eventually } from '../wait.js';

/** A lock, and how it misbehaves (tools/virtual-lock/faults.ts). */
export interface GroupedLock {
  readonly device: RegisteredDevice;
  readonly faults: readonly string[];
}

export interface LockGroupOptions {
  readonly locks: readonly GroupedLock[];
  readonly mqttUrl: string;
  /** The APIs, for the keys that verify orders. */
  readonly apis: readonly string[];
  /** Where actuations are kept. */
  readonly directory: string;
}

/** What the locks of a group have gone through since its last start. */
export interface LockGroupReport {
  readonly online: number;
  /** Orders of which the lock had heard before, and that it answered without moving. */
  readonly repeated: number;
  /** How often, by the code of the refusal. */
  readonly refused: Readonly<Record<string, number>>;
}

const HEARTBEAT_MS = 2_000;
const SCRIPT = join(import.meta.dirname, 'lock-group-process.mjs');

/** Virtual locks in a process of their own. Each has every movement on disk before it reports it. */
export class LockGroup {
  readonly #process: NodeProcess;

  constructor(private readonly options: LockGroupOptions) {
    const { locks, ...rest } = options;
    const spelled = locks.map(({ device: { id, token }, faults }) => ({ deviceId: id, token, faults }));
    this.#process = new NodeProcess(SCRIPT, [], {
      MORTISE_LOCKS: JSON.stringify({ ...rest, locks: spelled, heartbeatMs: HEARTBEAT_MS }),
    });
  }

  get deviceIds(): string[] {
    return this.options.locks.map(({ device }) => device.id);
  }

  report(): LockGroupReport {
    const { output } = this.#process;
    const end = output.lastIndexOf('\n');
    const line = output.slice(output.lastIndexOf('\n', end - 1) + 1, end);
    return end < 0 ? { online: 0, repeated: 0, refused: {} } : (JSON.parse(line) as LockGroupReport);
  }

  /** The movements of each lock, by device id, from the journals. */
  actuations(): Map<string, Actuation[]> {
    return new Map(this.deviceIds.map((id) => [id, readJournal(join(this.options.directory, journalOf(id)))]));
  }

  async online(): Promise<void> {
    await eventually(
      'every lock is online',
      () => {
        if (this.#process.hasEnded) {
          throw new Error(`The locks ended: ${this.#process.output.slice(-2_000)}`);
        }
        return this.report().online === this.options.locks.length;
      },
      60_000,
    );
  }

  /** SIGSTOP: the locks keep their connections and do nothing; SIGCONT: they go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.signal(signal);
  }

  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.#process.stop();
  }
}

function journalOf(deviceId: string): string {
  return `${deviceId}.actuations.ndjson`;
}

function readJournal(path: string): Actuation[] {
  if (!existsSync(path)) {
    return [];
  }
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Actuation);
}
