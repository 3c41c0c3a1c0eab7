import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { judgeUrl } from '../../../platform/outbound/outbound-address.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { newId } from '../../../shared/ids.js';
import type { ChatVerdict } from './chat-answer.js';
import { ChatCallsService } from './chat-calls.service.js';
import { ChatHookDisabledError, ChatHookNotFoundError, InvalidChatHookUrlError } from '../notifications.errors.js';
import { ChatHooksRepository } from './chat-hooks.repository.js';
import type { ChatAddress, ChatHook } from './chat-hooks.types.js';
import { ChatSecretsService } from './chat-secrets.service.js';

const TELEGRAM = 'api.telegram.org';
const TELEGRAM_PATH = /^\/bot[^/]+\/sendMessage$/;
const TRIAL = { title: 'Mortise', text: 'Notifications arrive in this chat.', url: null };

/** The hook of a person, as they see it and change it. */
@Injectable()
export class ChatHooksService {
  constructor(
    private readonly hooks: ChatHooksRepository,
    private readonly secrets: ChatSecretsService,
    private readonly calls: ChatCallsService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly config: AppConfig,
  ) {}

  /** @throws ChatHookNotFoundError */
  async get(userId: string): Promise<ChatHook> {
    const hook = await this.hooks.find(userId);
    if (!hook) {
      throw new ChatHookNotFoundError();
    }
    return hook;
  }

  /** In the place of the one that there is. @throws InvalidChatHookUrlError */
  put(userId: string, address: ChatAddress): Promise<ChatHook> {
    const url = this.judged(address);
    const [hookId, { host }] = [newId(), new URL(url)];
    const sealed = this.secrets.seal({ ...address, url }, hookId);
    return this.transactions.run(async () => {
      await this.hooks.put({ userId, hookId, sealed, host });
      await this.audit.record({ entity: { type: 'user', id: userId }, after: { host } });
      return this.get(userId);
    });
  }

  /** @throws ChatHookNotFoundError */
  remove(userId: string): Promise<void> {
    return this.transactions.run(async () => {
      const { host } = await this.get(userId);
      await this.hooks.remove(userId);
      await this.audit.record({ entity: { type: 'user', id: userId }, before: { host } });
    });
  }

  /** Sends a message now. @throws ChatHookNotFoundError, ChatHookDisabledError */
  async test(userId: string): Promise<ChatVerdict> {
    const hook = await this.get(userId);
    if (hook.disabledAt !== null) {
      throw new ChatHookDisabledError();
    }
    await this.audit.record({ entity: { type: 'user', id: userId }, after: { host: hook.host } });
    return this.calls.call(hook, TRIAL);
  }

  /** In the one spelling that is called. */
  private judged({ url: text, chatId }: ChatAddress): string {
    const url = judgeUrl(text, this.config.outbound.allowedNetworks);
    if ('fault' in url) {
      throw new InvalidChatHookUrlError(url.message);
    }
    if (url.host === TELEGRAM && (chatId === null || !TELEGRAM_PATH.test(new URL(url.href).pathname))) {
      throw new InvalidChatHookUrlError(
        'Telegram takes messages at https://api.telegram.org/bot<token>/sendMessage, with a `chatId`.',
        chatId === null ? '/chatId' : '/url',
      );
    }
    return url.href;
  }
}
