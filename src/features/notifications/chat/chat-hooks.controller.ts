import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { ExtraTime } from '../../../platform/http/admission/extra-time.decorator.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { ChatHookDisabledError, ChatHookNotFoundError, InvalidChatHookUrlError } from '../notifications.errors.js';
import {
  ChatHookDto,
  ChatTestDto,
  PutChatHookDto,
  toChatAddress,
  toChatHookDto,
  toChatTestDto,
} from './chat-hooks.dto.js';
import { ChatHooksService } from './chat-hooks.service.js';

/** A test may wait for the receiver for five seconds. */
const TEST_EXTRA_MS = 6_000;

@ApiTags('Notifications')
@Controller('notifications/chat')
export class ChatHooksController {
  constructor(private readonly hooks: ChatHooksService) {}

  /** Where messages to me in a chat go, and whether they still do. */
  @Get()
  @Authorize()
  @Refuses(ChatHookNotFoundError)
  async get(@CurrentUser() { userId }: Principal): Promise<ChatHookDto> {
    return toChatHookDto(await this.hooks.get(userId));
  }

  /**
   * Have notifications posted into a chat: of Telegram, or of what takes incoming webhooks as Slack does. There is one hook of a
   * person: this one takes the place of the one before, and is enabled. Which kinds go there is among the preferences.
   */
  @Put()
  @Authorize()
  @Audit('chat_hook_set')
  @RateLimit('chat_hooks')
  @Refuses(InvalidChatHookUrlError)
  async put(@CurrentUser() { userId }: Principal, @Body() body: PutChatHookDto): Promise<ChatHookDto> {
    return toChatHookDto(await this.hooks.put(userId, toChatAddress(body)));
  }

  /** Nothing is posted into a chat any more. */
  @Delete()
  @Authorize()
  @Audit('chat_hook_removed')
  @HttpCode(204)
  @Refuses(ChatHookNotFoundError)
  async remove(@CurrentUser() { userId }: Principal): Promise<void> {
    await this.hooks.remove(userId);
  }

  /**
   * Send a message to my hook now, and tell what it answered within five seconds. An answer that says that the hook is dead disables
   * it. Each call sends another message.
   */
  @Post('test')
  @Authorize()
  @Audit('chat_hook_tested')
  @RateLimit('chat_hooks')
  @ExtraTime(TEST_EXTRA_MS)
  @HttpCode(200)
  @Refuses(ChatHookNotFoundError, ChatHookDisabledError)
  async test(@CurrentUser() { userId }: Principal): Promise<ChatTestDto> {
    return toChatTestDto(await this.hooks.test(userId));
  }
}
