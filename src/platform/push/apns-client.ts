import type { OutgoingHttpHeaders } from 'node:http2';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { PushServices } from '../../config/push.js';
import { Clock } from '../../shared/clock.js';
import { sha256 } from '../crypto/digest.js';
import {
  type FailureKind,
  failedAs,
  kindOfStatus,
  type ProviderOutcome,
  retryAfterOf,
  sentAs,
} from '../providers/provider-outcome.js';
import { ProviderRequestError } from '../providers/provider-request.js';
import { ApnsTokenCache } from './apns-token-cache.js';
import { type ApnsAnswer, ApnsTransport } from './apns-transport.js';
import { collapseKeyOf, payloadWithin, type PushMessage, ttlOf } from './push-message.js';

const MAX_PAYLOAD_BYTES = 4_096;
const MAX_COLLAPSE_BYTES = 64;

interface Line {
  readonly service: NonNullable<PushServices['apns']>;
  readonly tokens: ApnsTokenCache;
  readonly transport: ApnsTransport;
}

/** Pushes to iOS by Apple's service. */
@Injectable()
export class ApnsClient implements OnApplicationShutdown {
  readonly #line: Line | null;

  constructor(
    { push: { apns } }: AppConfig,
    private readonly clock: Clock,
  ) {
    this.#line = apns && {
      service: apns,
      tokens: new ApnsTokenCache(apns, clock),
      transport: new ApnsTransport(apns.url),
    };
  }

  get isConfigured(): boolean {
    return this.#line !== null;
  }

  /** @param target a token in hexadecimal digits */
  async send(target: string, message: PushMessage): Promise<ProviderOutcome> {
    if (this.#line === null) {
      return failedAs('permanent', ['not_configured']);
    }
    const payload = payloadWithin(MAX_PAYLOAD_BYTES, message, apnsPayload);
    if (payload === null) {
      return failedAs('permanent', ['payload_too_large']);
    }
    try {
      return this.outcomeOf(await this.answerTo(this.#line, target, message, payload));
    } catch (error) {
      if (!(error instanceof ProviderRequestError)) {
        throw error;
      }
      return failedAs('later', ['apns', error.reason]);
    }
  }

  onApplicationShutdown(): void {
    this.#line?.transport.close();
  }

  /** A token may have expired by Apple's clock: then one more is made. */
  private async answerTo(line: Line, target: string, message: PushMessage, payload: string): Promise<ApnsAnswer> {
    const send = async (): Promise<ApnsAnswer> =>
      line.transport.request(this.headersOf(line.service.topic, target, message, await line.tokens.token()), payload);
    const answer = await send();
    const isExpired = answer.status === 403 && answer.body.reason === 'ExpiredProviderToken';
    return isExpired && line.tokens.expire() ? send() : answer;
  }

  private headersOf(topic: string, target: string, message: PushMessage, token: string): OutgoingHttpHeaders {
    const ttlS = ttlOf(message);
    return {
      ':method': 'POST',
      ':path': `/3/device/${target}`,
      authorization: `bearer ${token}`,
      'content-type': 'application/json',
      'apns-topic': topic,
      'apns-push-type': 'alert',
      'apns-id': apnsIdOf(message, target),
      'apns-priority': message.isUrgent ? '10' : '5',
      'apns-expiration': String(ttlS === 0 ? 0 : Math.floor(this.clock.now() / 1_000) + ttlS),
      'apns-collapse-id': shortened(collapseKeyOf(message)),
    };
  }

  private outcomeOf({ status, headers, body }: ApnsAnswer): ProviderOutcome {
    if (status === 200) {
      return sentAs(headers['apns-id']);
    }
    const reason = typeof body.reason === 'string' ? body.reason : '';
    const retryAfter = retryAfterOf(headers['retry-after'], this.clock.now());
    return failedAs(kindOf(status, reason), ['apns', reason || status], retryAfter);
  }
}

/** A token of another app is not forgotten: it is of ours, if the operator has changed the topic. */
function kindOf(status: number, reason: string): FailureKind {
  return status === 410 || reason === 'BadDeviceToken' ? 'target_gone' : kindOfStatus(status);
}

/** One for each message and target, the same at every attempt, in the form of UUID version 8 (RFC 9562). */
function apnsIdOf({ id }: PushMessage, target: string): string {
  const hex = sha256(`${id}/${target}`).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function shortened(key: string): string {
  const isPlain = /^[\x21-\x7e]+$/.test(key) && key.length <= MAX_COLLAPSE_BYTES;
  return isPlain ? key : sha256(key).toString('base64url');
}

function apnsPayload({ id, title, body, url, data, isUrgent }: PushMessage): object {
  return {
    aps: {
      alert: { title, body },
      sound: 'default',
      'interruption-level': isUrgent ? 'time-sensitive' : 'active',
    },
    id,
    url,
    data,
  };
}
