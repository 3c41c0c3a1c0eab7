import { Injectable, type OnModuleInit } from '@nestjs/common';
import { KeyedMutex } from '../../../platform/batching/keyed-mutex.js';
import { ChatHooksRepository } from './chat-hooks.repository.js';
import { CallTimeLimiter } from './call-time-limiter.js';
import { ChatCallsService } from './chat-calls.service.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import { type ChannelMessage, NotificationTransport, type SendOutcome } from '../channels/notification-transport.js';

/** Some twenty messages at once to a service that answers as they do, and then one a second, which is what Telegram takes. */
const LIMITS = { allowanceMs: 5_000, share: 0.25 };
/** A call without an answer counts as so many of its length. */
const UNANSWERED_WEIGHT = 3;

/**
 * Posts to the hook of the person: Telegram's, or one as Slack has it. One call for a person at a time, and none for a while where
 * theirs take long: who names an address that never answers holds up the messages of others for five seconds at most.
 */
@Injectable()
export class ChatTransport extends NotificationTransport implements OnModuleInit {
  readonly name = 'chat';
  readonly #turns = new KeyedMutex();
  readonly #limiter = new CallTimeLimiter(LIMITS);

  constructor(
    private readonly registry: NotificationChannelRegistry,
    private readonly hooks: ChatHooksRepository,
    private readonly calls: ChatCallsService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  reachable(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.hooks.reachable(userIds);
  }

  send(message: ChannelMessage): Promise<SendOutcome> {
    return this.#turns.run(message.userId, () => this.sendInTurn(message));
  }

  private async sendInTurn(message: ChannelMessage): Promise<SendOutcome> {
    const { userId } = message;
    const waitMs = Math.ceil(this.#limiter.waitOf(userId, performance.now()));
    if (waitMs > 0) {
      return { sent: false, reason: 'chat_too_slow', isPermanent: false, retryAfterMs: waitMs };
    }
    // Now: the call before may have found it dead.
    const hook = await this.hooks.find(userId);
    if (hook?.disabledAt !== null) {
      return { sent: false, reason: 'chat_no_hook', isPermanent: true, retryAfterMs: null, hasNoAddress: true };
    }
    const began = performance.now();
    const { status, outcome } = await this.calls.call(hook, message);
    const now = performance.now();
    this.#limiter.add(userId, (now - began) * (status === null ? UNANSWERED_WEIGHT : 1), now);
    return outcome;
  }
}
