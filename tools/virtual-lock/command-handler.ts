import { setTimeout as wait } from 'node:timers/promises';
import type { RefusalCode } from '../../src/contracts/commands.js';
import { MAX_MQTT_PAYLOAD_BYTES } from '../../src/contracts/mqtt.js';
import type { SignedOrder } from '../../src/contracts/orders.js';
import { executed, type AckCache } from './ack-cache.js';
import type { AckOutbox } from './ack-outbox.js';
import type { BoltOrder } from './bolt.js';
import type { Report } from './event-queue.js';
import type { Faults } from './faults.js';
import { messageOf, type Log } from './log.js';
import type { KeyRing } from './key-ring.js';
import type { Motor } from './motor.js';
import type { KnownOrder } from './parse-order.js';
import type { Uptime } from './uptime.js';
import { readSignedOrder, verifyOrder, type AckBody, type Verdict } from './verify-order.js';

export interface CommandHandlerOptions {
  deviceId: string;
  boot: string;
  uptime: Uptime;
  ring: KeyRing;
  sentAcks: AckCache;
  acks: AckOutbox;
  motor: Motor;
  faults: Faults;
  log: Log;
  signal: AbortSignal;
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

/** Verifies, executes and acknowledges orders. */
export class CommandHandler {
  #lastCounter = 0;
  #atWork = 0;

  constructor(private readonly options: CommandHandlerOptions) {}

  get lastCounter(): number {
    return this.#lastCounter;
  }

  async receive(message: Uint8Array, retained: boolean): Promise<void> {
    const { ring, faults, log, signal } = this.options;
    if (faults.has('deaf')) {
      log('order', 'ignores an order (deaf)');
      return;
    }
    const signed = message.byteLength > MAX_MQTT_PAYLOAD_BYTES ? undefined : readSignedOrder(message);
    let verdict = this.#verify(signed, retained);
    if (verdict.kind === 'refused' && verdict.code === 'unknown_key' && (await ring.lookAgain())) {
      verdict = this.#verify(signed, retained);
    }
    if (!signal.aborted) {
      await this.#respond(verdict);
    }
  }

  /** Has no await between the check and the new counter: two orders must never be checked against the same counter. */
  #verify(signed: SignedOrder | undefined, retained: boolean): Verdict {
    const { deviceId, boot, uptime, ring, sentAcks } = this.options;
    const verdict = verifyOrder(signed, ring.keys, {
      deviceId,
      boot,
      retained,
      lastCounter: this.#lastCounter,
      uptimeMs: uptime.now(),
      answerTo: (commandId) => sentAcks.get(commandId),
    });
    if (verdict.kind === 'accepted') {
      this.#lastCounter = verdict.order.counter;
      sentAcks.set(verdict.order.commandId, { status: 'executing' });
    }
    return verdict;
  }

  async #respond(verdict: Verdict): Promise<void> {
    const { acks, log } = this.options;
    switch (verdict.kind) {
      case 'accepted':
        await this.#accept(verdict.order);
        return;
      case 'repeat':
        log('order', `order ${verdict.commandId} again: answers ${verdict.answer.status}, does nothing`, verdict);
        acks.enqueue(verdict.commandId, verdict.answer);
        return;
      case 'refused':
        log('refused', `refuses an order: ${REFUSALS[verdict.code]} (${verdict.code})`, verdict);
        if (verdict.commandId !== undefined) {
          acks.enqueue(verdict.commandId, failed(verdict.code, REFUSALS[verdict.code]));
        }
    }
  }

  async #accept(order: KnownOrder): Promise<void> {
    const { acks, sentAcks, log, signal } = this.options;
    const { commandId, name, counter } = order;
    log('order', `accepts ${name} ${commandId} (counter ${String(counter)})`, { commandId, name, counter });
    acks.enqueue(commandId, { status: 'received' });
    const answer = await this.#execute(order);
    if (signal.aborted) {
      return;
    }
    sentAcks.set(commandId, answer);
    acks.enqueue(commandId, answer);
    log('order', `${name} ${commandId}: ${answer.status}${answer.errorCode ? ` (${answer.errorCode})` : ''}`, {
      commandId,
      ...answer,
    });
    if (name === 'restart_device' && answer.status === 'executed') {
      this.options.restart();
    }
  }

  async #execute(order: KnownOrder): Promise<AckBody> {
    if (this.#atWork >= MOST_AT_ONCE) {
      return failed('busy', 'too many orders at once');
    }
    this.options.acks.enqueue(order.commandId, { status: 'executing' });
    this.#atWork += 1;
    try {
      await this.#delay();
      if (this.options.signal.aborted) {
        return failed('stopped', 'the lock ended');
      }
      // The deadline may have passed during the wait, and a bolt that moves late opens the door to a passer-by.
      return this.options.uptime.now() >= order.expiresAtUptimeMs
        ? failed('deadline_passed', REFUSALS.deadline_passed)
        : this.#perform(order);
    } finally {
      this.#atWork -= 1;
    }
  }

  #perform(order: KnownOrder): AckBody {
    switch (order.name) {
      case 'lock_door':
      case 'unlock_door':
        return this.#turnBolt(order);
      case 'request_snapshot': {
        const { commandId, payload } = order;
        const reference = `virtual/${commandId}.jpg`;
        this.options.report({
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

  #turnBolt(order: BoltOrder): AckBody {
    const { faults, motor, report, log } = this.options;
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
      log('trouble', `cannot record a movement, so does not move: ${messageOf(error)}`);
      return failed('storage_failed', 'the movement could not be recorded');
    }
    return executed(motor.state);
  }

  async #delay(): Promise<void> {
    const delayMs = this.options.faults.measure('slow', 0);
    if (delayMs > 0) {
      await wait(delayMs, undefined, { signal: this.options.signal }).catch(() => undefined);
    }
  }
}

function failed(errorCode: string, errorMessage: string): AckBody {
  return { status: 'failed', errorCode, errorMessage };
}
