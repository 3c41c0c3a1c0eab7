import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Actuation } from '../../tools/virtual-lock/actuation-journal.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { NodeProcess } from './process.js';
import { eventually } from './wait.js';

interface LockProcessOptions {
  readonly device: RegisteredDevice;
  readonly mqttUrl: string;
  /** The API, for the keys that verify orders. */
  readonly url: string;
  /** Where its actuations are kept. */
  readonly directory: string;
  readonly faults?: readonly string[];
}

/** A virtual lock in a process of its own. Its journal has every movement on disk before the lock reports it. */
export class VirtualLockProcess {
  readonly #process: NodeProcess;
  readonly #journal: string;

  constructor(private readonly options: LockProcessOptions) {
    const { device, mqttUrl, url, directory, faults = [] } = options;
    this.#journal = join(directory, `${device.id}.actuations.ndjson`);
    const flags = {
      id: device.id,
      url: mqttUrl,
      keys: `${url}/.well-known/order-keys.json`,
      state: `${directory}/`,
      'heartbeat-ms': '1000',
    };
    this.#process = new NodeProcess(
      join('tools', 'virtual-lock', 'main.js'),
      [
        '--json',
        ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
        ...faults.flatMap((fault) => ['--fault', fault]),
      ],
      { MORTISE_LOCK_TOKEN: device.token },
    );
  }

  get deviceId(): string {
    return this.options.device.id;
  }

  /** Its movements, from the journal. */
  actuations(): Actuation[] {
    if (!existsSync(this.#journal)) {
      return [];
    }
    const lines = readFileSync(this.#journal, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Actuation);
  }

  /** What it logged, one object per line. */
  logEntries(): { kind: string; text: string }[] {
    const lines = this.#process.output.split('\n').slice(0, -1);
    return lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { kind: string; text: string });
  }

  /** Waits until it is online, for the first time or again after `earlier` times. */
  async online(earlier = 0): Promise<void> {
    await eventually(
      'a lock is online',
      () => {
        if (this.#process.hasEnded) {
          throw new Error(`The lock ended: ${this.#process.output}`);
        }
        return this.timesOnline > earlier;
      },
      20_000,
    );
  }

  get timesOnline(): number {
    return this.logEntries().filter(({ kind }) => kind === 'online').length;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
