import type { OutboundAnswer } from '../../../platform/outbound/outbound-client.js';
import { OutboundError } from '../../../platform/outbound/outbound.errors.js';
import { failedAs, type ProviderOutcome, retryAfterOf, sentAs } from '../../../platform/providers/provider-outcome.js';
import { objectOf } from '../../../platform/providers/provider-request.js';
import type { ChatHookFault } from './chat-hooks.types.js';

/** What a call of a hook came to. */
export interface ChatVerdict {
  /** Null: no answer came. */
  readonly status: number | null;
  readonly outcome: ProviderOutcome;
}

/** What says that nothing sent there arrives any more. */
const FAULTS: ReadonlyMap<number | null, ChatHookFault> = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [410, 'gone'],
]);
const WORTH_A_RETRY: readonly number[] = [408, 425, 429];
/** How Telegram's answer begins. It repeats the message, and may be longer than what is read of an answer. */
const TELEGRAM_OK = /^\s*\{\s*"ok"\s*:\s*true\b/;

/** @param isTelegram its answers say once more whether the message was taken */
export function verdictOn({ status, headers, body }: OutboundAnswer, isTelegram: boolean, nowMs: number): ChatVerdict {
  if (status >= 200 && status < 300) {
    const isTaken = !isTelegram || TELEGRAM_OK.test(body);
    return { status, outcome: isTaken ? sentAs(null) : failedAs('permanent', ['chat', 'not_taken']) };
  }
  const words = ['chat', status];
  if (FAULTS.has(status)) {
    return { status, outcome: failedAs('target_gone', words) };
  }
  const isLater = status >= 500 || WORTH_A_RETRY.includes(status);
  const wishMs = retryAfterOf(headers['retry-after'], nowMs) ?? telegramWishMs(body);
  return { status, outcome: failedAs(isLater ? 'later' : 'permanent', words, wishMs) };
}

/** No answer came. @throws what is no fault of the receiver */
export function verdictWithout(error: unknown): ChatVerdict {
  if (!(error instanceof OutboundError)) {
    throw error;
  }
  const kind = error.reason === 'address_not_allowed' ? 'permanent' : 'later';
  return { status: null, outcome: failedAs(kind, ['chat', error.reason]) };
}

/** Null: the hook is alive, as far as the answer says. */
export function faultIn({ status }: ChatVerdict): ChatHookFault | null {
  return FAULTS.get(status) ?? null;
}

/** `parameters.retry_after` of Telegram, in seconds. */
function telegramWishMs(body: string): number | null {
  const { parameters } = objectOf(body) as { readonly parameters?: { readonly retry_after?: unknown } | null };
  const seconds = parameters?.retry_after;
  return typeof seconds === 'number' && seconds > 0 && seconds < 1e9 ? seconds * 1_000 : null;
}
