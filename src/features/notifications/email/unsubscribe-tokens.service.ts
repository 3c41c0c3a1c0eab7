import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { equalInConstantTime } from '../../../platform/crypto/digest.js';
import { isUuid } from '../../../shared/ids.js';
import { NOTIFICATION_KINDS, type NotificationKind } from '../notifications.types.js';

/** Whose mails end, and of which kinds. */
export interface Unsubscription {
  readonly userId: string;
  readonly kinds: readonly NotificationKind[];
}

/**
 * Tokens in the headers of mails, by which a mail program ends mails like it without a login. They open nothing else, and do not
 * expire: a mail may be read years later.
 */
@Injectable()
export class UnsubscribeTokensService {
  readonly #key: Buffer;

  constructor(config: AppConfig) {
    this.#key = deriveKey(config.masterKey(), 'sign_unsubscriptions');
  }

  issue({ userId, kinds }: Unsubscription): string {
    const content = Buffer.from([userId, ...kinds].join(' ')).toString('base64url');
    return `${content}.${this.sign(content)}`;
  }

  /** Null where it was not issued here. */
  read(token: string): Unsubscription | null {
    const [content = '', signature = ''] = token.split('.');
    if (!equalInConstantTime(Buffer.from(this.sign(content)), Buffer.from(signature))) {
      return null;
    }
    const [userId = '', ...named] = Buffer.from(content, 'base64url').toString().split(' ');
    return isUuid(userId) ? { userId, kinds: NOTIFICATION_KINDS.filter((kind) => named.includes(kind)) } : null;
  }

  private sign(content: string): string {
    return createHmac('sha256', this.#key).update(content).digest('base64url');
  }
}
