import type { Actuation } from './actuation-journal.js';
import type { BoltState } from './bolt.js';
import type { AckBody } from './verify-order.js';

/** A bolt order that was carried out, and where it left the bolt. */
export function executed(lockState: BoltState): AckBody {
  return { status: 'executed', result: { lockState } };
}

/** The answers to the latest orders, so that a repeated one is answered and not obeyed. The oldest give way. */
export class AckCache {
  readonly #acks = new Map<string, AckBody>();

  constructor(private readonly capacity = 256) {}

  /** What an earlier boot carried out, too: it will be refused by its boot, but that would be half the truth. */
  static of(actuations: readonly Actuation[], capacity = 256): AckCache {
    const memory = new AckCache(capacity);
    for (const { commandId, action } of actuations.slice(-2 * capacity)) {
      if (action !== 'auto_lock') {
        memory.set(commandId, executed(action === 'lock_door' ? 'locked' : 'unlocked'));
      }
    }
    return memory;
  }

  get(commandId: string): AckBody | undefined {
    return this.#acks.get(commandId);
  }

  set(commandId: string, answer: AckBody): void {
    this.#acks.set(commandId, answer);
    if (this.#acks.size > this.capacity) {
      for (const oldest of this.#acks.keys()) {
        this.#acks.delete(oldest);
        break;
      }
    }
  }
}
