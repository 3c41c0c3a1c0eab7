/** What came of a message that was given to a provider. */
export type ProviderOutcome =
  | {
      readonly sent: true;
      /** By which the provider names the message; null where it gave no name. */
      readonly providerId: string | null;
    }
  | {
      readonly sent: false;
      /** A word of ours, and one of the provider's: nothing of the message. */
      readonly reason: string;
      /** Another attempt would fail as well. */
      readonly isPermanent: boolean;
      /** The token, subscription or number leads nowhere any more: forget it. */
      readonly isTargetGone: boolean;
      /** How long the provider asks to wait. */
      readonly retryAfterMs: number | null;
    };

/** `target_gone` and `permanent` end the message; `later` is for what may go better, also when the operator has put it right. */
export type FailureKind = 'target_gone' | 'permanent' | 'later';

const MAX_REASON = 80;
const MAX_ID = 200;

export function sentAs(providerId: unknown): Extract<ProviderOutcome, { sent: true }> {
  const isName = typeof providerId === 'string' && providerId !== '' && providerId.length <= MAX_ID;
  return { sent: true, providerId: isName ? providerId : null };
}

/** @param words become one word of letters, digits and underscores: a provider chose some of them */
export function failedAs(
  kind: FailureKind,
  words: readonly (string | number)[],
  retryAfterMs: number | null = null,
): Extract<ProviderOutcome, { sent: false }> {
  const reason = words
    .join('_')
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z\d]+/g, '_')
    .slice(0, MAX_REASON);
  return {
    sent: false,
    reason,
    isPermanent: kind !== 'later',
    isTargetGone: kind === 'target_gone',
    retryAfterMs: kind === 'later' ? retryAfterMs : null,
  };
}

/** Of `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. Null for anything else. */
export function retryAfterOf(header: string | null | undefined, nowMs: number): number | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) {
    return Number(text) * 1_000;
  }
  const at = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

/** Of a status that says nothing of the target. */
export function kindOfStatus(status: number): FailureKind {
  // What is wrong with our credentials, or with the path to them, is put right by the operator.
  return status >= 500 || [401, 403, 408, 425, 429].includes(status) ? 'later' : 'permanent';
}
