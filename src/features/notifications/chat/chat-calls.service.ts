import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { OutboundClient } from '../../../platform/outbound/outbound-client.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { Clock } from '../../../shared/clock.js';
import { ChatHooksRepository } from './chat-hooks.repository.js';
import type { ChatHook } from './chat-hooks.types.js';
import { ChatSecretsService } from './chat-secrets.service.js';
import { type ChatVerdict, faultIn, verdictOn, verdictWithout } from './chat-answer.js';
import { chatBody, type ChatText } from './chat-message.js';

const TIMEOUT_MS = 5_000;
/** People whose hooks are at the same service wait for one another beyond so many. */
const AT_ONCE = 8;

/** Calls the hooks of people, and disables those that are dead. */
@Injectable()
export class ChatCallsService {
  constructor(
    private readonly hooks: ChatHooksRepository,
    private readonly secrets: ChatSecretsService,
    private readonly outbound: OutboundClient,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly clock: Clock,
  ) {}

  /** Ends within five seconds, whatever the receiver does. */
  async call(hook: ChatHook, message: ChatText): Promise<ChatVerdict> {
    const verdict = await this.post(hook, message);
    const fault = faultIn(verdict);
    if (fault !== null) {
      await this.transactions.run(async () => {
        if (await this.hooks.disable(hook, fault)) {
          const { userId, host } = hook;
          const entity = { type: 'user', id: userId } as const;
          await this.audit.record({ action: 'chat_hook_disabled', entity, after: { host, reason: fault } });
        }
      });
    }
    return verdict;
  }

  private async post(hook: ChatHook, message: ChatText): Promise<ChatVerdict> {
    const address = this.secrets.open(hook);
    try {
      const answer = await this.outbound.send({
        url: address.url,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: chatBody(address, message),
        timeoutMs: TIMEOUT_MS,
        atOnce: AT_ONCE,
      });
      return verdictOn(answer, address.chatId !== null, this.clock.now());
    } catch (error) {
      return verdictWithout(error);
    }
  }
}
