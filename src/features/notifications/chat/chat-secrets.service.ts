import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { decrypt, encrypt } from '../../../platform/crypto/encryption.js';
import type { ChatAddress, ChatHook } from './chat-hooks.types.js';

/** Keeps addresses of hooks sealed: with one, anyone writes into the chat. */
@Injectable()
export class ChatSecretsService {
  readonly #key: Buffer;

  constructor(config: AppConfig) {
    this.#key = deriveKey(config.masterKey(), 'seal_chat_hooks');
  }

  seal({ url, chatId }: ChatAddress, hookId: string): Buffer {
    return encrypt(this.#key, Buffer.from(JSON.stringify({ url, chatId })), aadOf(hookId));
  }

  /** @throws DecryptionError */
  open({ hookId, sealed }: Pick<ChatHook, 'hookId' | 'sealed'>): ChatAddress {
    return JSON.parse(decrypt(this.#key, sealed, aadOf(hookId)).toString()) as ChatAddress;
  }
}

function aadOf(hookId: string): string {
  return `chat_hooks.sealed.${hookId}`;
}
