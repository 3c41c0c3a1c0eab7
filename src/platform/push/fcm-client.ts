import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { Clock } from '../../shared/clock.js';
import { failedAs, kindOfStatus, type ProviderOutcome, retryAfterOf, sentAs } from '../providers/provider-outcome.js';
import { postToProvider, type ProviderAnswer, ProviderRequestError } from '../providers/provider-request.js';
import { type FcmFault, fcmFaultOf } from './fcm-fault.js';
import { GoogleTokenCache, GoogleTokenError } from './google-token-cache.js';
import { collapseKeyOf, payloadWithin, type PushMessage, ttlOf } from './push-message.js';

/** What FCM takes is 4,096 bytes of texts and data; the frame around them is within this, too. */
const MAX_PAYLOAD_BYTES = 4_096;
/** APNs', through which FCM reaches iOS. */
const MAX_COLLAPSE_LENGTH = 64;
/** What Google asks to wait where an answer does not say it: a minute for those who send too much. */
const QUOTA_PAUSE_MS = 60_000;

/** Pushes to apps by Firebase Cloud Messaging, HTTP v1. */
@Injectable()
export class FcmClient {
  readonly #tokens: GoogleTokenCache | null;
  readonly #url: string;

  constructor(
    { push: { fcm } }: AppConfig,
    private readonly clock: Clock,
  ) {
    const account = fcm?.serviceAccount();
    this.#tokens = account ? new GoogleTokenCache(account, clock) : null;
    this.#url = `${fcm?.url ?? ''}/v1/projects/${account?.projectId ?? ''}/messages:send`;
  }

  get isConfigured(): boolean {
    return this.#tokens !== null;
  }

  async send(target: string, message: PushMessage): Promise<ProviderOutcome> {
    if (this.#tokens === null) {
      return failedAs('permanent', ['not_configured']);
    }
    const payload = payloadWithin(MAX_PAYLOAD_BYTES, message, (cut) => ({
      message: fcmMessage(target, cut, this.clock),
    }));
    if (payload === null) {
      return failedAs('permanent', ['payload_too_large']);
    }
    try {
      return this.outcomeOf(await this.answerTo(payload, this.#tokens));
    } catch (error) {
      if (error instanceof ProviderRequestError) {
        return failedAs('later', ['fcm', error.reason]);
      }
      if (error instanceof GoogleTokenError) {
        return failedAs('later', ['fcm_no_access_token', error.word]);
      }
      throw error;
    }
  }

  /** An access token may end before its time: then one more is asked for. */
  private async answerTo(payload: string, tokens: GoogleTokenCache): Promise<ProviderAnswer> {
    const token = await tokens.token();
    const answer = await this.post(payload, token);
    if (answer.status !== 401 || fcmFaultOf(answer) === 'THIRD_PARTY_AUTH_ERROR') {
      return answer;
    }
    tokens.forget(token);
    return this.post(payload, await tokens.token());
  }

  private post(payload: string, token: string): Promise<ProviderAnswer> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return postToProvider(this.#url, headers, payload);
  }

  private outcomeOf(answer: ProviderAnswer): ProviderOutcome {
    const { status, retryAfter, body } = answer;
    if (status === 200) {
      return sentAs(body.name);
    }
    const fault = fcmFaultOf(answer);
    const asked = retryAfterOf(retryAfter, this.clock.now());
    return failedAs(kindOf(fault, status), ['fcm', fault], asked ?? (status === 429 ? QUOTA_PAUSE_MS : null));
  }
}

function kindOf(fault: FcmFault, status: number): ReturnType<typeof kindOfStatus> {
  if (fault === 'UNREGISTERED' || fault === 'invalid_token') {
    return 'target_gone';
  }
  // A token of another project: of ours, if the operator has changed it, so it is not forgotten.
  return fault === 'SENDER_ID_MISMATCH' ? 'permanent' : kindOfStatus(status);
}

function fcmMessage(token: string, message: PushMessage, clock: Clock): object {
  const { id, title, body, url, isUrgent, data } = message;
  const ttlS = ttlOf(message);
  const collapseKey = collapseKeyOf(message).slice(0, MAX_COLLAPSE_LENGTH);
  return {
    token,
    notification: { title, body },
    data: { ...data, id, ...(url === null ? {} : { url }) },
    android: {
      priority: isUrgent ? 'HIGH' : 'NORMAL',
      ttl: `${String(ttlS)}s`,
      collapse_key: collapseKey,
      // The one with the same tag is replaced on the screen, too.
      notification: { tag: collapseKey },
    },
    apns: {
      headers: {
        'apns-priority': isUrgent ? '10' : '5',
        'apns-expiration': String(ttlS === 0 ? 0 : Math.floor(clock.now() / 1_000) + ttlS),
        'apns-collapse-id': collapseKey,
      },
      payload: { aps: { sound: 'default' } },
    },
  };
}
