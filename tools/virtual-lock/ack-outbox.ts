import type { AckMessage } from '../../src/contracts/mqtt.js';
import { Faults } from './faults.js';
import type { AckBody } from './verify-order.js';

/** Acks on their way to the broker. Each is kept until the broker has it, so that a short outage loses none. */
export class AckOutbox {
  #unsent: AckMessage[] = [];
  readonly #heldBack = new Map<string, AckMessage[]>();

  constructor(
    private readonly send: (ack: AckMessage) => Promise<boolean>,
    private readonly faults = Faults.none,
    private readonly capacity = 64,
  ) {}

  enqueue(commandId: string, answer: AckBody): void {
    for (const ack of this.#misbehave({ commandId, ...answer })) {
      this.#unsent.push(ack);
      this.#unsent = this.#unsent.slice(-this.capacity);
      void this.#deliver(ack);
    }
  }

  /** On a new connection: what the old one may not have delivered. The backend takes an ack twice. */
  async resend(): Promise<void> {
    await Promise.all(this.#unsent.map((ack) => this.#deliver(ack)));
  }

  async #deliver(ack: AckMessage): Promise<void> {
    if (await this.send(ack)) {
      this.#unsent = this.#unsent.filter((waiting) => waiting !== ack);
    }
  }

  #misbehave(ack: AckMessage): AckMessage[] {
    if (this.faults.has('forget-acks')) {
      return [];
    }
    const acks = this.faults.has('acks-out-of-order') ? this.#reverse(ack) : [ack];
    return this.faults.has('duplicate-acks') ? acks.flatMap((each) => [each, { ...each }]) : acks;
  }

  /** Holds the acks of a command back until its verdict, and then sends the verdict first. */
  #reverse(ack: AckMessage): AckMessage[] {
    const acks = [ack, ...(this.#heldBack.get(ack.commandId) ?? [])];
    if (ack.status === 'executed' || ack.status === 'failed') {
      this.#heldBack.delete(ack.commandId);
      return acks;
    }
    this.#heldBack.set(ack.commandId, acks);
    return [];
  }
}
