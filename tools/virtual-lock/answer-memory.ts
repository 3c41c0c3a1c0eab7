import type { Actuation } from './actuation-journal.js';
import type { BoltState } from './bolt.js';
import type { Answer } from './verify-order.js';

/** A bolt order that was carried out, and where it left the bolt. */
export function executed(lockState: BoltState): Answer {
  return { status: 'executed', result: { lockState } };
}

/** The answers to the latest orders, so that a repeated one is answered and not obeyed. The oldest give way. */
export class AnswerMemory {
  readonly #answers = new Map<string, Answer>();

  constructor(private readonly capacity = 256) {}

  /** What an earlier boot carried out, too: it will be refused by its boot, but that would be half the truth. */
  static of(actuations: readonly Actuation[], capacity = 256): AnswerMemory {
    const memory = new AnswerMemory(capacity);
    for (const { commandId, action } of actuations.slice(-2 * capacity)) {
      if (action !== 'auto_lock') {
        memory.remember(commandId, executed(action === 'lock_door' ? 'locked' : 'unlocked'));
      }
    }
    return memory;
  }

  recall(commandId: string): Answer | undefined {
    return this.#answers.get(commandId);
  }

  remember(commandId: string, answer: Answer): void {
    this.#answers.set(commandId, answer);
    if (this.#answers.size > this.capacity) {
      for (const oldest of this.#answers.keys()) {
        this.#answers.delete(oldest);
        break;
      }
    }
  }
}
