import type { TwilioAccount } from '../../config/sms.js';
import type { Clock } from '../../shared/clock.js';
import { cutText } from '../../shared/cut-text.js';
import { type FailureKind, failedAs, kindOfStatus, retryAfterOf, sentAs } from '../providers/provider-outcome.js';
import { postToProvider, type ProviderAnswer, ProviderRequestError } from '../providers/provider-request.js';
import { SmsClient, type SmsOutcome } from './sms-client.js';
import { statusCallbackFor } from './twilio-signature.js';

/** Twilio refuses a longer text. */
const MAX_TEXT = 1_600;
/** No number, one whose person has answered STOP, and one that takes no text messages. */
const TARGET_GONE: readonly unknown[] = [21211, 21610, 21614];

/**
 * Twilio's Messages API. It knows no key by which it would drop a repetition, so an attempt whose answer was lost may be sent twice;
 * `id` is in the address that reports are sent to.
 */
export class TwilioClient extends SmsClient {
  constructor(
    private readonly account: TwilioAccount,
    private readonly clock: Clock,
  ) {
    super();
  }

  async send(to: string, text: string, id: string, withinMs?: number): Promise<SmsOutcome> {
    const { url, accountSid, authToken } = this.account;
    const credentials = Buffer.from(`${accountSid}:${authToken()}`).toString('base64');
    try {
      const answer = await postToProvider(
        `${url}/2010-04-01/Accounts/${accountSid}/Messages.json`,
        { authorization: `Basic ${credentials}` },
        new URLSearchParams({ To: to, ...this.sender(), Body: cutText(text, MAX_TEXT), ...this.callback(id) }),
        withinMs,
      );
      return this.outcomeOf(answer);
    } catch (error) {
      if (!(error instanceof ProviderRequestError)) {
        throw error;
      }
      return unsent('later', ['twilio', error.reason], { isRefused: false });
    }
  }

  private sender(): Record<string, string> {
    const { from } = this.account;
    return /^MG[\da-f]{32}$/.test(from) ? { MessagingServiceSid: from } : { From: from };
  }

  private callback(id: string): Record<string, string> {
    const { statusCallback } = this.account;
    return statusCallback === null ? {} : { StatusCallback: statusCallbackFor(statusCallback, id) };
  }

  private outcomeOf({ status, body, retryAfter }: ProviderAnswer): SmsOutcome {
    const { code, sid } = body;
    if (status === 201) {
      return sentAs(sid);
    }
    const kind: FailureKind = TARGET_GONE.includes(code) ? 'target_gone' : kindOfStatus(status);
    const word = typeof code === 'number' ? code : status;
    const retryAfterMs = retryAfterOf(retryAfter, this.clock.now());
    return unsent(kind, ['twilio', word], { isRefused: status < 500, retryAfterMs });
  }
}

function unsent(
  kind: FailureKind,
  words: readonly (string | number)[],
  { isRefused, retryAfterMs = null }: { isRefused: boolean; retryAfterMs?: number | null },
): SmsOutcome {
  return { ...failedAs(kind, words, retryAfterMs), isRefused };
}
