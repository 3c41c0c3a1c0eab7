import { setTimeout as wait } from 'node:timers/promises';
import type { RefusalCode } from '../../src/contracts/commands.js';
import { MAX_MQTT_PAYLOAD_BYTES } from '../../src/contracts/mqtt.js';
import type { SignedOrder } from '../../src/contracts/orders.js';
import { executed, type AnswerMemory } from './answer-memory.js';
import type { Answers } from './answers.js';
import type { BoltOrder } from './bolt.js';
import type { Report } from './event-queue.js';
import type { Faults } from './faults.js';
import { reasonOf, type Tell } from './happenings.js';
import type { KeyRing } from './key-ring.js';
import type { Motor } from './motor.js';
import type { KnownOrder } from './order-shape.js';
import type { Uptime } from './uptime.js';
import { readSignedOrder, verifyOrder, type Answer, type Verdict } from './verify-order.js';

export interface DeskParts {
  deviceId: string;
  boot: string;
  uptime: Uptime;
  ring: KeyRing;
  memory: AnswerMemory;
  answers: Answers;
  motor: Motor;
  faults: Faults;
  tell: Tell;
  life: AbortSignal;
  report: (report: Report) => void;
  restart: () => void;
}

const MOST_AT_ONCE = 16;
const REFUSALS: Record<RefusalCode, string> = {
  retained_message: 'orders are never retained',
  malformed_order: 'this is no order',
  unknown_key: 'no trusted key has this kid',
  bad_signature: 'the signature does not hold',
  wrong_device: 'the order is for another device',
  wrong_boot: 'the order is for another start of this lock',
  stale_counter: 'a later order was accepted already',
  deadline_passed: 'the order came too late',
  unknown_command: 'this lock does not know the command',
  invalid_payload: 'the payload does not fit the command',
};

/** Where orders arrive: decided at once, carried out, answered. */
export class OrderDesk {
  #lastCounter = 0;
  #atWork = 0;

  constructor(private readonly parts: DeskParts) {}

  get lastCounter(): number {
    return this.#lastCounter;
  }

  async receive(message: Uint8Array, retained: boolean): Promise<void> {
    const { ring, faults, tell, life } = this.parts;
    if (faults.has('deaf')) {
      tell('order', 'ignores an order (deaf)');
      return;
    }
    const signed = message.byteLength > MAX_MQTT_PAYLOAD_BYTES ? undefined : readSignedOrder(message);
    let verdict = this.#judge(signed, retained);
    if (verdict.kind === 'refused' && verdict.code === 'unknown_key' && (await ring.lookAgain())) {
      verdict = this.#judge(signed, retained);
    }
    if (!life.aborted) {
      await this.#act(verdict);
    }
  }

  /** From the decision to the counter without an await: two orders must never be judged by the same counter. */
  #judge(signed: SignedOrder | undefined, retained: boolean): Verdict {
    const { deviceId, boot, uptime, ring, memory } = this.parts;
    const verdict = verifyOrder(signed, ring.keys, {
      deviceId,
      boot,
      retained,
      lastCounter: this.#lastCounter,
      uptimeMs: uptime.now(),
      answerTo: (commandId) => memory.recall(commandId),
    });
    if (verdict.kind === 'accepted') {
      this.#lastCounter = verdict.order.counter;
      memory.remember(verdict.order.commandId, { status: 'executing' });
    }
    return verdict;
  }

  async #act(verdict: Verdict): Promise<void> {
    const { answers, tell } = this.parts;
    switch (verdict.kind) {
      case 'accepted':
        await this.#obey(verdict.order);
        return;
      case 'repeat':
        tell('order', `order ${verdict.commandId} again: answers ${verdict.answer.status}, does nothing`, verdict);
        answers.give(verdict.commandId, verdict.answer);
        return;
      case 'refused':
        tell('refused', `refuses an order: ${REFUSALS[verdict.code]} (${verdict.code})`, verdict);
        if (verdict.commandId !== undefined) {
          answers.give(verdict.commandId, failed(verdict.code, REFUSALS[verdict.code]));
        }
    }
  }

  async #obey(order: KnownOrder): Promise<void> {
    const { answers, memory, tell, life } = this.parts;
    const { commandId, name, counter } = order;
    tell('order', `accepts ${name} ${commandId} (counter ${String(counter)})`, { commandId, name, counter });
    answers.give(commandId, { status: 'received' });
    const answer = await this.#carryOut(order);
    if (life.aborted) {
      return;
    }
    memory.remember(commandId, answer);
    answers.give(commandId, answer);
    tell('order', `${name} ${commandId}: ${answer.status}${answer.errorCode ? ` (${answer.errorCode})` : ''}`, {
      commandId,
      ...answer,
    });
    if (name === 'restart_device' && answer.status === 'executed') {
      this.parts.restart();
    }
  }

  async #carryOut(order: KnownOrder): Promise<Answer> {
    if (this.#atWork >= MOST_AT_ONCE) {
      return failed('busy', 'too many orders at once');
    }
    this.parts.answers.give(order.commandId, { status: 'executing' });
    this.#atWork += 1;
    try {
      await this.#dawdle();
      if (this.parts.life.aborted) {
        return failed('stopped', 'the lock ended');
      }
      // The wait may have outlived the order, and a bolt that moves late opens the door to whoever stands there then.
      return this.parts.uptime.now() >= order.expiresAtUptimeMs
        ? failed('deadline_passed', REFUSALS.deadline_passed)
        : this.#perform(order);
    } finally {
      this.#atWork -= 1;
    }
  }

  #perform(order: KnownOrder): Answer {
    switch (order.name) {
      case 'lock_door':
      case 'unlock_door':
        return this.#turnBolt(order);
      case 'request_snapshot': {
        const { commandId, payload } = order;
        const reference = `virtual/${commandId}.jpg`;
        this.parts.report({
          type: 'snapshot_captured',
          data: { reference, quality: payload.quality ?? 'medium', commandId },
        });
        return { status: 'executed', result: { reference } };
      }
      case 'restart_device':
        return { status: 'executed' };
      case 'firmware_update':
      case 'sync_access_codes':
        return failed('not_supported', 'this lock cannot do that');
    }
  }

  #turnBolt(order: BoltOrder): Answer {
    const { faults, motor, report, tell } = this.parts;
    if (faults.has('jam')) {
      report({ type: 'error_occurred', data: { errorCode: 'jammed' } });
      return failed('jammed', 'the bolt does not move');
    }
    if (faults.has('ack-only')) {
      return executed(order.name === 'lock_door' ? 'locked' : 'unlocked');
    }
    try {
      motor.obey(order);
    } catch (error) {
      tell('trouble', `cannot record a movement, so does not move: ${reasonOf(error)}`);
      return failed('storage_failed', 'the movement could not be recorded');
    }
    return executed(motor.state);
  }

  async #dawdle(): Promise<void> {
    const delayMs = this.parts.faults.measure('slow', 0);
    if (delayMs > 0) {
      await wait(delayMs, undefined, { signal: this.parts.life }).catch(() => undefined);
    }
  }
}

function failed(errorCode: string, errorMessage: string): Answer {
  return { status: 'failed', errorCode, errorMessage };
}
