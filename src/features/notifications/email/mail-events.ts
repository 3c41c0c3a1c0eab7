import { canonicalIdentifier } from '../../../shared/identifiers.js';
import type { ReportedFailure, MailSuppressionReason } from '../notifications.types.js';

/** What a provider reports of one mail. */
export interface MailEvent {
  /** Of ours; null: the event does not say, or it is no notification. */
  readonly messageId: string | null;
  /** In its one spelling. */
  readonly email: string;
  /** When it happened. */
  readonly at: Date;
  /** What became of the message; null: nothing. */
  readonly outcome: MailOutcome | null;
  /** Why the address is not mailed any more; null: it is. */
  readonly suppression: MailSuppressionReason | null;
}

export type MailOutcome =
  | { readonly state: 'DELIVERED' }
  | { readonly state: 'FAILED'; readonly reason: ReportedFailure; readonly error: string };

/** As SendGrid documents its events. */
type ReportedEvent = Readonly<Record<string, unknown>>;
type Meaning = Pick<MailEvent, 'outcome' | 'suppression'>;

/** Our `Message-ID`. */
const MESSAGE_ID = /^<?([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})@[^@]+$/i;
/** An enhanced status code (RFC 3463). */
const STATUS = /^[245]\.\d{1,3}\.\d{1,3}$/;
const LONGEST_EMAIL = 320;
/** Why SendGrid did not even try: its own list of addresses. What else it says is no fault of the address. */
const DROPPED: readonly (readonly [RegExp, MailSuppressionReason])[] = [
  [/^bounced address/i, 'bounced'],
  [/^invalid(?! smtpapi)/i, 'bounced'],
  [/^spam reporting address/i, 'spam_report'],
  [/^unsubscribed address/i, 'unsubscribed'],
];

const MEANINGS: Readonly<Record<string, (event: ReportedEvent) => Meaning>> = {
  delivered: () => ({ outcome: { state: 'DELIVERED' }, suppression: null }),
  // The server of the recipient does not want mail of ours for now. The provider gives up this one.
  bounce: (event) => (event.type === 'blocked' ? failed(event, 'blocked', null) : failed(event, 'bounced', 'bounced')),
  dropped: (event) => {
    const reason = typeof event.reason === 'string' ? event.reason : '';
    return failed(event, 'dropped', DROPPED.find(([words]) => words.test(reason))?.[1] ?? null);
  },
  spamreport: () => ({ outcome: null, suppression: 'spam_report' }),
  unsubscribe: () => ({ outcome: null, suppression: 'unsubscribed' }),
  group_unsubscribe: () => ({ outcome: null, suppression: 'unsubscribed' }),
};

/** Those that say something. What is not understood is left out: it must not keep the rest from being heard. */
export function mailEventsIn(list: readonly unknown[]): MailEvent[] {
  return list.flatMap((item) => (typeof item === 'object' && item !== null ? eventIn(item as ReportedEvent) : []));
}

function eventIn(event: ReportedEvent): MailEvent[] {
  const { email, timestamp } = event;
  const meaning = meaningOf(event);
  const isWhole = typeof email === 'string' && email.length <= LONGEST_EMAIL && isTime(timestamp);
  return meaning && isWhole
    ? [
        {
          ...meaning,
          messageId: messageIdOf(event),
          email: canonicalIdentifier(email),
          at: new Date(timestamp * 1_000),
        },
      ]
    : [];
}

function meaningOf(event: ReportedEvent): Meaning | undefined {
  const { event: name } = event;
  return typeof name === 'string' && Object.hasOwn(MEANINGS, name) ? MEANINGS[name]?.(event) : undefined;
}

function messageIdOf({ 'smtp-id': id }: ReportedEvent): string | null {
  return typeof id === 'string' ? (MESSAGE_ID.exec(id)?.[1]?.toLowerCase() ?? null) : null;
}

/** In seconds since 1970, of this century. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 4e9;
}

function failed(
  { status }: ReportedEvent,
  word: 'blocked' | 'bounced' | 'dropped',
  suppression: MailSuppressionReason | null,
): Meaning {
  const error = typeof status === 'string' && STATUS.test(status) ? `${word} ${status}` : word;
  const reason = suppression === 'bounced' ? 'bounced' : 'not_delivered';
  return { outcome: { state: 'FAILED', reason, error }, suppression };
}
