import { Injectable } from '@nestjs/common';
import { type Gauge, Metrics } from '../../metrics/metrics.js';

/** Messages in process, of all devices and of one. */
const MAX_RUNNING = 1_000;
const MAX_RUNNING_OF_DEVICE = 64;
/** Messages of one device that wait. A broker that can hold a device up does so before: see `isCrowded`. */
const MAX_WAITING_OF_DEVICE = 4_000;
const CROWDED = 500;
/** Beyond it, only devices with few messages may have one more wait. */
const MAX_WAITING = 20_000;
const MAX_WAITING_BYTES = 64 * 1_048_576;
const FEW = 10;

type Work = () => Promise<void>;

interface Share {
  readonly waiting: { readonly bytes: number; readonly run: Work }[];
  running: number;
}

/**
 * The messages of devices in hand. Devices take turns, so that the work of one with a thousand messages delays that of the
 * others by little. It never makes its caller wait: the connection that all messages arrive on must go on being read.
 */
@Injectable()
export class DeviceMessageQueue {
  readonly #shares = new Map<string, Share>();
  /** Devices with a message that may start, in the order of their turns. */
  readonly #turns = new Set<string>();
  readonly #inProcess = new Set<Promise<void>>();
  #waiting = 0;
  #waitingBytes = 0;

  readonly #gauge: Gauge;

  constructor(metrics: Metrics) {
    this.#gauge = metrics.gauge('mortise_mqtt_messages_waiting', 'Messages of devices that wait for their turn');
  }

  /** Starts `work` in the turn of its device. `work` must not reject. @returns false when that device has too much waiting. */
  offer(deviceId: string, bytes: number, work: Work): boolean {
    const share = this.#shares.get(deviceId) ?? { waiting: [], running: 0 };
    if (!this.hasRoom(share)) {
      return false;
    }
    this.#shares.set(deviceId, share);
    share.waiting.push({ bytes, run: work });
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    this.giveTurn(deviceId, share);
    this.start();
    this.#gauge.set(this.#waiting);
    return true;
  }

  /** Whether a device should be held up, if that is possible. */
  isCrowded(deviceId: string): boolean {
    return (this.#shares.get(deviceId)?.waiting.length ?? 0) >= CROWDED;
  }

  /** Resolves when everything offered so far is done. */
  async drained(): Promise<void> {
    while (this.#inProcess.size > 0) {
      await Promise.all(this.#inProcess);
    }
  }

  private hasRoom({ waiting }: Share): boolean {
    const full = this.#waiting >= MAX_WAITING || this.#waitingBytes >= MAX_WAITING_BYTES;
    return waiting.length < (full ? FEW : MAX_WAITING_OF_DEVICE) && this.#waiting < 2 * MAX_WAITING;
  }

  private giveTurn(deviceId: string, { waiting, running }: Share): void {
    if (waiting.length > 0 && running < MAX_RUNNING_OF_DEVICE) {
      this.#turns.add(deviceId);
    }
  }

  private start(): void {
    for (const deviceId of this.#turns) {
      if (this.#inProcess.size >= MAX_RUNNING) {
        return;
      }
      this.#turns.delete(deviceId);
      const share = this.#shares.get(deviceId);
      if (share) {
        this.run(deviceId, share);
        // Behind the others: a set is visited in the order of insertion.
        this.giveTurn(deviceId, share);
      }
    }
  }

  private run(deviceId: string, share: Share): void {
    const next = share.waiting.shift();
    if (!next) {
      return;
    }
    this.#waiting -= 1;
    this.#waitingBytes -= next.bytes;
    share.running += 1;
    const running = next.run().finally(() => {
      this.#inProcess.delete(running);
      share.running -= 1;
      if (share.running === 0 && share.waiting.length === 0) {
        this.#shares.delete(deviceId);
      }
      this.giveTurn(deviceId, share);
      this.start();
      this.#gauge.set(this.#waiting);
    });
    this.#inProcess.add(running);
  }
}
