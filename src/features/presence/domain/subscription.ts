import type { Diagnostics, Subscription } from '../diagnostics/diagnostics.types.js';

/** The code under which a broker's answer is kept that an order had no subscriber. */
export const NOT_SUBSCRIBED = 'not_subscribed';

const UNKNOWN: Subscription = { state: 'unknown', at: null };

/**
 * Whether a device gets its orders. An ack shows that it had one, a broker without a subscriber that it had not; whichever came
 * last counts. What was seen before its last birth says nothing of the connection that it has now.
 */
export function subscriptionOf({
  lastBirth,
  lastAck,
  refusals,
}: Pick<Diagnostics, 'lastBirth' | 'lastAck' | 'refusals'>): Subscription {
  const missed = refusals.find(({ code }) => code === NOT_SUBSCRIBED)?.lastSeenAt;
  const seen: readonly Subscription[] = [
    ...(lastAck ? [{ state: 'subscribed' as const, at: lastAck.at }] : []),
    ...(missed ? [{ state: 'not_subscribed' as const, at: missed }] : []),
  ];
  const timeOf = ({ at }: Subscription): number => at?.getTime() ?? 0;
  const since = lastBirth?.at.getTime() ?? 0;
  const [latest] = seen.filter((one) => timeOf(one) >= since).sort((a, b) => timeOf(b) - timeOf(a));
  return latest ?? UNKNOWN;
}
