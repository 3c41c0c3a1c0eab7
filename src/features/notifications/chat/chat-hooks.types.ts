/** Why a hook is dead: what it answered. A bot that its person has blocked answers 403. */
export const CHAT_HOOK_FAULTS = ['unauthorized', 'forbidden', 'not_found', 'gone'] as const;
export type ChatHookFault = (typeof CHAT_HOOK_FAULTS)[number];

/** What is stored of a hook. */
export interface NewChatHook {
  readonly hookId: string;
  readonly userId: string;
  readonly sealed: Uint8Array;
  /** With its port. */
  readonly host: string;
}

/** Where messages to a person in a chat go. */
export interface ChatHook extends NewChatHook {
  /** Null: it is not disabled. */
  readonly disabledReason: ChatHookFault | null;
  readonly disabledAt: Date | null;
  readonly createdAt: Date;
}

/** What a person names. */
export interface ChatAddress {
  readonly url: string;
  /** Of Telegram; null: the address itself says which chat. */
  readonly chatId: string | null;
}
