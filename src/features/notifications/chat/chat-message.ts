import { cutText } from '../../../shared/cut-text.js';
import type { ChatAddress } from './chat-hooks.types.js';
import type { ChannelMessage } from '../channels/notification-transport.js';

/** Telegram's limit; Slack and those like it take more. */
const MAX_LENGTH = 4_096;
/** Discord's limit. */
const MAX_DISCORD_LENGTH = 2_000;
const DISCORD = /(?:^|\.)discord(?:app)?\.com$/;
const GAP = '\n\n';
/** No width: it parts what would be a mention or a link of another name. */
const PARTED = '\u200b';

/** What is said: the parts of a message that a chat shows. */
export type ChatText = Pick<ChannelMessage, 'title' | 'text' | 'url'>;

/** The body of the call. With a chat it is Telegram's `sendMessage`, without one what Slack and those like it take. */
export function chatBody({ url, chatId }: ChatAddress, message: ChatText): string {
  const text = chatText(message, DISCORD.test(new URL(url).hostname) ? MAX_DISCORD_LENGTH : MAX_LENGTH);
  return JSON.stringify(chatId === null ? { text } : { chat_id: chatId, text, disable_web_page_preview: true });
}

/** Title, text and link. Where that is too long the text is cut: the link stays. */
function chatText({ title, text, url }: ChatText, maxLength: number): string {
  const end = url === null ? '' : GAP + url;
  return cutText(plain([title, text].join(GAP)), maxLength - end.length) + end;
}

/** Names in a text are those that other people gave their devices: none of them calls a whole room, or hides where it leads. */
function plain(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›').replaceAll('@', `@${PARTED}`).replaceAll('](', `]${PARTED}(`);
}
