import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Matches, MaxLength } from 'class-validator';
import { OrNull } from '../../../platform/http/members/if-given.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import type { ChatVerdict } from './chat-answer.js';
import { CHAT_HOOK_FAULTS, type ChatAddress, type ChatHook, type ChatHookFault } from './chat-hooks.types.js';

const MAX_URL = 2_048;

/** Where messages to me in a chat go from now on. */
export class PutChatHookDto {
  /**
   * `https`, and reached from the internet. Of Telegram: that of `sendMessage`, with the token of your bot. Of Slack, Mattermost,
   * Rocket.Chat, Google Chat: the incoming webhook. Of Discord: the webhook with `/slack` behind it. It is kept encrypted, and not
   * shown again.
   * @example https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX
   */
  @IsString()
  @MaxLength(MAX_URL)
  @OftenCalled('endpoint', 'uri', 'webhook', 'webhookUrl', 'hook')
  url!: string;

  /** Of Telegram: the number of the chat, or the `@name` of a channel. Null, or left out: none. */
  @ApiPropertyOptional({ type: String, nullable: true, example: null })
  @OrNull()
  @Matches(/^(?:-?\d{1,20}|@[A-Za-z]\w{3,63})$/, {
    message: 'must be the number of a chat, or @ and the name of a channel, as text',
  })
  @OftenCalled('chat_id', 'chat', 'channel', 'room')
  chatId?: string | null;
}

/** Where messages to me in a chat go. */
export class ChatHookDto {
  /**
   * Of the address. The rest of it is secret.
   * @example hooks.slack.com
   */
  host!: string;

  /**
   * False: it answered that nothing sent there arrives any more. Nothing is sent to it until you name an address again.
   * @example true
   */
  enabled!: boolean;

  /** What it answered: 401, 403, 404 or 410. `forbidden` is also what Telegram answers once its person has blocked the bot. */
  @ApiProperty({ type: String, enum: [...CHAT_HOOK_FAULTS, null], nullable: true, example: null })
  disabledReason!: ChatHookFault | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  disabledAt!: string | null;

  /**
   * When you named it.
   * @example 2026-12-06T08:00:00.000Z
   */
  createdAt!: string;
}

/** What became of a message to my hook. */
export class ChatTestDto {
  /**
   * The hook has taken the message.
   * @example true
   */
  taken!: boolean;

  /** The status of its answer; null: none came. */
  @ApiProperty({ type: 'integer', nullable: true, example: 200 })
  status!: number | null;

  /** Why it was not taken: `chat_400` is an answer with that status; without an answer, docs/outbound.md explains the word after `chat_`. */
  @ApiProperty({ type: String, nullable: true, example: null })
  reason!: string | null;
}

export function toChatAddress({ url, chatId }: PutChatHookDto): ChatAddress {
  return { url, chatId: chatId ?? null };
}

export function toChatHookDto({ host, disabledReason, disabledAt, createdAt }: ChatHook): Readonly<ChatHookDto> {
  return {
    host,
    enabled: disabledAt === null,
    disabledReason,
    disabledAt: disabledAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}

export function toChatTestDto({ status, outcome }: ChatVerdict): Readonly<ChatTestDto> {
  return { taken: outcome.sent, status, reason: outcome.sent ? null : outcome.reason };
}
