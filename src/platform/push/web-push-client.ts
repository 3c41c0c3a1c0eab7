import { Injectable } from '@nestjs/common';
import webPush from 'web-push';
import { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import { sha256 } from '../crypto/digest.js';
import { type OutboundAnswer, OutboundClient } from '../outbound/outbound-client.js';
import { OutboundError } from '../outbound/outbound.errors.js';
import { failedAs, kindOfStatus, type ProviderOutcome, retryAfterOf, sentAs } from '../providers/provider-outcome.js';
import { collapseKeyOf, contentOf, payloadWithin, type PushMessage, ttlOf } from './push-message.js';

/** Of a browser; each of them is its secret. */
export interface WebPushSubscription {
  readonly endpoint: string;
  /** In base64url. */
  readonly p256dh: string;
  readonly auth: string;
}

/** RFC 8030, section 7.2, less what RFC 8188 adds: 86 bytes of its head, one that ends the text, 16 of its tag. */
const MAX_PAYLOAD_BYTES = 4_096 - 103;
/** RFC 8030, section 5.4. */
const TOPIC_LENGTH = 32;
/** The client gives these itself. */
const OF_THE_CONNECTION = ['content-length'];

/** Pushes to browsers: encrypted for them alone (RFC 8291), and signed with our key (RFC 8292). */
@Injectable()
export class WebPushClient {
  constructor(
    private readonly config: AppConfig,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  /** With which browsers subscribe; null where the operator has given no key. */
  get publicKey(): string | null {
    return this.config.push.vapid?.publicKey ?? null;
  }

  async send(subscription: WebPushSubscription, message: PushMessage): Promise<ProviderOutcome> {
    const { vapid } = this.config.push;
    if (vapid === null) {
      return failedAs('permanent', ['not_configured']);
    }
    const payload = payloadWithin(MAX_PAYLOAD_BYTES, message, contentOf);
    if (payload === null) {
      return failedAs('permanent', ['payload_too_large']);
    }
    const request = requestOf(subscription, payload, {
      TTL: ttlOf(message),
      urgency: message.isUrgent ? 'high' : 'normal',
      topic: sha256(collapseKeyOf(message)).toString('base64url').slice(0, TOPIC_LENGTH),
      vapidDetails: { subject: vapid.subject, publicKey: vapid.publicKey, privateKey: vapid.privateKey() },
    });
    if (request === null) {
      return failedAs('target_gone', ['web_push_invalid_subscription']);
    }
    try {
      return this.outcomeOf(await this.outbound.send({ url: subscription.endpoint, method: 'POST', ...request }));
    } catch (error) {
      if (!(error instanceof OutboundError)) {
        throw error;
      }
      const isFinal = ['address_not_allowed', 'redirected'].includes(error.reason);
      return failedAs(isFinal ? 'permanent' : 'later', ['web_push', error.reason]);
    }
  }

  private outcomeOf({ status, headers }: OutboundAnswer): ProviderOutcome {
    if (status >= 200 && status < 300) {
      return sentAs(headers.location);
    }
    const kind = [404, 410].includes(status) ? 'target_gone' : kindOfStatus(status);
    return failedAs(kind, ['web_push', status], retryAfterOf(headers['retry-after'], this.clock.now()));
  }
}

/** Null for a subscription that nothing can be encrypted for. */
function requestOf(
  { endpoint, p256dh, auth }: WebPushSubscription,
  payload: string,
  options: webPush.RequestOptions,
): { readonly headers: Record<string, string>; readonly body: Buffer } | null {
  try {
    const { headers, body } = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, payload, {
      ...options,
      contentEncoding: 'aes128gcm',
    });
    const given = Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !OF_THE_CONNECTION.includes(name));
    // The library leaves it a number.
    return { headers: { ...Object.fromEntries(given), ttl: String(options.TTL) }, body };
  } catch {
    return null;
  }
}
