import type { Actuation } from './actuation-journal.js';
import type { BoltState } from './bolt.js';
import type { AckBody } from './verify-order.js';

/** A bolt order that was carried out, and where it left the bolt. */
export function executed(lockState: BoltState): AckBody {
  return { status: 'executed', result: { lockState } };
}

/** The acks of the latest orders, so that a repeated order is acknowledged and not executed. Evicts the oldest. */
export class AckCache {
  readonly #acks = new Map<string, AckBody>();

  constructor(private readonly capacity = 256) {}

  /**
   * Starts with the movements of earlier boots: a repeated order of theirs is acknowledged as executed, not as of
   * another boot.
   */
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
