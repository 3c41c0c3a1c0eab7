import type { ProviderOutcome } from '../../../platform/providers/provider-outcome.js';
import type { SendOutcome } from '../channels/notification-transport.js';

/** Where one of a person's targets took a message, the others are tried so often again: within a quarter of an hour. */
const MORE_ATTEMPTS = 4;
const LONGEST_WAIT_MS = 600_000;

/**
 * What became of a message, by what became of it at each target of its person. Where one took it the person is told, so no other one
 * makes it fail: those that may go better are tried again for a while, and left then.
 * @param failures attempts of the message before this one
 */
export function pushOutcomeOf(outcomes: readonly ProviderOutcome[], failures: number): SendOutcome {
  const took = outcomes.filter((one) => one.sent);
  const failed = outcomes.filter((one) => !one.sent);
  const later = failed.filter(({ isPermanent }) => !isPermanent);
  const waits = later.map(({ retryAfterMs }) => retryAfterMs ?? 0);
  const retryAfterMs = Math.max(0, ...waits) || null;
  const again = { sent: false, isPermanent: false, retryAfterMs } as const;
  const [reason = 'no_target'] = [...later, ...failed].map((one) => one.reason);
  if (took.length > 0) {
    const isWorthIt = later.length > 0 && failures < MORE_ATTEMPTS && Math.max(...waits) <= LONGEST_WAIT_MS;
    return isWorthIt
      ? { ...again, reason: `partly_${reason}` }
      : { sent: true, providerId: took.find(({ providerId }) => providerId !== null)?.providerId ?? null };
  }
  if (later.length > 0) {
    return { ...again, reason };
  }
  const hasNoAddress = failed.every(({ isTargetGone }) => isTargetGone);
  return { sent: false, reason, isPermanent: true, retryAfterMs: null, hasNoAddress };
}
